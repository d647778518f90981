module sidecast

go 1.19
