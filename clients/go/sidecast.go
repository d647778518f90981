// Package sidecast publishes to Sidecast, from Go 1.19 on; the standard library is enough.
//
//	client := sidecast.Client{URL: "http://127.0.0.1:7411", Key: "sk_..."}
//	answer, err := client.Broadcast(ctx, "task.moved", data, sidecast.To{"room": "project:7"})
//
// Whatever a call has to send twice carries one Idempotency-Key, so it is published once.
package sidecast

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const tries, pauseMax = 3, 5 * time.Second

// 409: the first try is still on its way
var passing = map[int]bool{408: true, 409: true, 429: true, 500: true, 502: true, 503: true, 504: true}

// Client may be used by several goroutines. What is empty comes from SIDECAST_URL,
// SIDECAST_API_KEY and, only for tokens, SIDECAST_AUTH_JWT_HMAC_SECRET.
type Client struct {
	URL, Key, Secret string
	Timeout          time.Duration // of each try; 0: 2 s
}

// To says whom: one of room, rooms, user, users, sockets and all, unless the catalog of the
// server knows; and args, except, ttl, volatile, id and so on.
type To map[string]any

// Answer of a publish; Recipients is nil when nobody knows.
type Answer struct {
	ID, Position string
	Recipients   *int64
}

// Error is a publish that was refused, or whose answer never came (Status below 300).
type Error struct {
	Status       int
	Code, Detail string
	Problem      json.RawMessage // the whole answer, with errors and their pointers
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Broadcast publishes an event.
func (c *Client) Broadcast(ctx context.Context, event string, data any, to To) (*Answer, error) {
	random := make([]byte, 16)
	rand.Read(random)
	body := map[string]any{"event": event, "data": data, "id": part(random)}
	if _, ok := to["args"]; ok {
		delete(body, "data")
	}
	for name, value := range to {
		body[name] = value
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	for tried := 1; ; tried++ {
		answer, pause, err := c.post(ctx, sent, fmt.Sprint(body["id"]))
		if err == nil || tried == tries || pause < 0 || ctx.Err() != nil {
			return answer, err
		}
		if pause == 0 {
			pause = 100 * time.Millisecond << tried
		} else if pause > pauseMax {
			pause = pauseMax
		}
		time.Sleep(pause + time.Duration(random[tried])*time.Millisecond/4) // never all at once
	}
}

// Token gives a token with which a client of this user connects; claims may be nil.
func (c *Client) Token(user string, rooms []string, ttl time.Duration, claims map[string]any) (string, error) {
	secret := or(c.Secret, os.Getenv("SIDECAST_AUTH_JWT_HMAC_SECRET"))
	if secret == "" {
		return "", fmt.Errorf("a token needs the secret that the server checks tokens with")
	}
	all := map[string]any{"sub": user, "rooms": append([]string{}, rooms...), "exp": time.Now().Add(ttl).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	signed := part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(text)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + part(mac.Sum(nil)), nil
}

// Gives an answer, or what failed and how long to wait; below 0: there is no use in waiting.
func (c *Client) post(ctx context.Context, body []byte, id string) (*Answer, time.Duration, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	url := strings.TrimRight(or(c.URL, os.Getenv("SIDECAST_URL"), "http://127.0.0.1:7411"), "/") + "/broadcast"
	request, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return nil, -1, err
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {id}}
	if key := or(c.Key, os.Getenv("SIDECAST_API_KEY")); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, &Error{Code: "E_UNREACHABLE", Detail: err.Error()}
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body) // what was cut off is no JSON
	status, answer := response.StatusCode, &Answer{}
	if status/100 == 2 && json.Unmarshal(text, answer) == nil {
		return answer, 0, nil
	}
	failed := &Error{status, fmt.Sprint("HTTP ", status), "", text}
	json.Unmarshal(text, failed) // a proxy\'s page stays in Problem alone
	if status < 300 || passing[status] {
		seconds, _ := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
		return nil, time.Duration(seconds) * time.Second, failed
	}
	return nil, -1, failed
}

func or(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
func part(text []byte) string { return base64.RawURLEncoding.EncodeToString(text) }
