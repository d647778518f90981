module drive

go 1.19

require sidecast v0.0.0

replace sidecast => ../../../../clients/go
