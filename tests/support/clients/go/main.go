// Calls the Go client: a line of JSON for each call, and one for what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
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
		Timeout, Within  float64
		Tries            int
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
			Timeout: seconds(next.Client.Timeout), Tries: next.Client.Tries,
		}
		var failed *sidecast.Error
		if next.Do == "token" {
			token, _ := client.Token(next.User, next.Rooms, time.Minute, nil)
			told.Encode(map[string]any{"token": token})
			continue
		}
		if next.Do == "crowd" {
			crowd(&client, next)
		}
		ctx, cancel := context.WithCancel(context.Background())
		if next.Client.Within > 0 {
			ctx, cancel = context.WithTimeout(ctx, seconds(next.Client.Within))
		}
		answer, err := client.Broadcast(ctx, next.Event, next.Data, next.To)
		cancel()
		if errors.As(err, &failed) {
			told.Encode(map[string]any{"status": failed.Status, "code": failed.Code, "detail": failed.Detail,
				"late": errors.Is(err, context.DeadlineExceeded)})
		} else if err != nil {
			told.Encode(map[string]any{"wrong": err.Error()})
		} else {
			told.Encode(map[string]any{"answer": answer})
		}
	}
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

// Ten times twenty goroutines at once; in between all of their connections are idle.
func crowd(client *sidecast.Client, next call) {
	for round := 0; round < 10; round++ {
		var all sync.WaitGroup
		for i := 0; i < 20; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				client.Broadcast(context.Background(), next.Event, next.Data, next.To)
			}()
		}
		all.Wait()
	}
}
