// Calls the Go client: a line of JSON for each call, and one for what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"sidecast"
)

type call struct {
	Do, User, Event string
	Rooms           []string
	Data            any
	To              sidecast.To
	Client          struct {
		URL, Key, Secret string
		Timeout          float64
	}
}

func main() {
	calls, told := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var next call
		if calls.Decode(&next) != nil {
			return
		}
		client := sidecast.Client{
			URL: next.Client.URL, Key: next.Client.Key, Secret: next.Client.Secret,
			Timeout: time.Duration(next.Client.Timeout * float64(time.Second)),
		}
		var failed *sidecast.Error
		if next.Do == "token" {
			token, _ := client.Token(next.User, next.Rooms, time.Minute, nil)
			told.Encode(map[string]any{"token": token})
			continue
		}
		answer, err := client.Broadcast(context.Background(), next.Event, next.Data, next.To)
		if errors.As(err, &failed) {
			told.Encode(map[string]any{"status": failed.Status, "code": failed.Code, "detail": failed.Detail})
		} else {
			told.Encode(map[string]any{"answer": answer})
		}
	}
}
