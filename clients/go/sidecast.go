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
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const agent, pauseMax = "sidecast-go/0.1.0", 5 * time.Second

// Connections are kept for less long than the server keeps them. A redirect is an answer: a key
// is for the server that was named.
var caller = &http.Client{
	Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 20 * time.Second},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// 409: the first try is still on its way
var passing = map[int]bool{408: true, 409: true, 429: true, 500: true, 502: true, 503: true, 504: true}

// Client may be used by several goroutines. What is empty comes from SIDECAST_URL,
// SIDECAST_API_KEY and, only for tokens, SIDECAST_AUTH_JWT_HMAC_SECRET; blanks and line ends
// around the fields do not count.
type Client struct {
	URL, Key, Secret string
	Timeout          time.Duration // of each try; 0: 2 s
	Tries            int           // 0: 3
}

// To says whom: one of room, rooms, user, users, sockets and all, unless the catalog of the
// server knows; and args, except, ttl, volatile, id and so on.
type To map[string]any

// Answer of a publish; Recipients is nil when nobody knows.
type Answer struct {
	ID, Position, Durability string
	Recipients               *int64
	Complete, Duplicate      bool
	Rooms                    []string
	Warning                  struct{ Code, Detail string }
}

// Error is a publish that was refused, or whose answer never came (Status 0).
type Error struct {
	Status       int
	Code, Detail string
	Problem      json.RawMessage // the whole answer, with errors and their pointers
	Err          error           `json:"-"` // what failed here: the network, the context
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }
func (e *Error) Unwrap() error { return e.Err }

// Broadcast publishes an event; without data where that is nil (json.RawMessage("null") is null).
func (c *Client) Broadcast(ctx context.Context, event string, data any, to To) (*Answer, error) {
	random := make([]byte, 16)
	rand.Read(random)
	body := map[string]any{"event": event, "id": part(random)}
	if _, ok := to["args"]; !ok && data != nil {
		body["data"] = data
	}
	for name, value := range to {
		body[name] = value
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	key := or(c.Key, os.Getenv("SIDECAST_API_KEY"))
	if strings.IndexFunc(key, func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
		return nil, errors.New("the key of a Sidecast publisher is one word of ASCII")
	}
	tries := c.Tries
	if tries < 1 {
		tries = 3
	}
	for tried, said := 1, (*Error)(nil); ; tried++ {
		answer, pause, failed := c.post(ctx, sent, key, fmt.Sprint(body["id"]))
		if failed == nil {
			return answer, nil
		}
		if failed.Status == 0 && said != nil && ctx.Err() != nil {
			failed, said.Err = said, ctx.Err() // the server's own words tell more
		}
		if tried >= tries || pause < 0 {
			return nil, failed
		}
		if pause == 0 {
			pause = 100 * time.Millisecond << tried
		}
		if pause > pauseMax {
			pause = pauseMax
		}
		pause += time.Duration(random[tried%16]) * time.Millisecond / 4 // never all at once
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			failed.Err = ctx.Err()
			return nil, failed
		}
		said = failed
	}
}

// Token gives a token with which a client of this user connects; claims may be nil.
func (c *Client) Token(user string, rooms []string, ttl time.Duration, claims map[string]any) (string, error) {
	secret := or(c.Secret)
	if secret == "" {
		secret = os.Getenv("SIDECAST_AUTH_JWT_HMAC_SECRET")
	}
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
func (c *Client) post(ctx context.Context, body []byte, key, id string) (*Answer, time.Duration, *Error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	url := strings.TrimRight(or(c.URL, os.Getenv("SIDECAST_URL"), "http://127.0.0.1:7411"), "/") + "/broadcast"
	request, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return nil, -1, unreachable(err)
	}
	request.Header = http.Header{"User-Agent": {agent}, "Content-Type": {"application/json"}, "Idempotency-Key": {id}}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := caller.Do(request)
	if err != nil {
		return nil, 0, unreachable(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body) // what was cut off is no JSON
	status, answer := response.StatusCode, &Answer{}
	if status/100 == 2 {
		if json.Unmarshal(text, answer) == nil && answer.ID != "" {
			return answer, 0, nil
		}
		if err == nil {
			err = fmt.Errorf("an answer that is not Sidecast's: %.200s", text)
		}
		return nil, 0, unreachable(err)
	}
	failed := &Error{status, fmt.Sprint("HTTP ", status), "", text, nil}
	json.Unmarshal(text, failed) // a proxy's page stays in Problem alone
	failed.Status, failed.Problem = status, text
	if passing[status] {
		seconds, _ := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
		return nil, time.Duration(seconds) * time.Second, failed
	}
	return nil, -1, failed
}

func unreachable(err error) *Error {
	return &Error{Code: "E_UNREACHABLE", Detail: err.Error(), Err: err}
}

// The first that is more than blanks and line ends, without these.
func or(values ...string) string {
	for _, value := range values {
		if value = strings.TrimSpace(value); value != "" {
			return value
		}
	}
	return ""
}
func part(text []byte) string { return base64.RawURLEncoding.EncodeToString(text) }
