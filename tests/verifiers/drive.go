// Judges docs/verifiers/verify.go by vectors.json, which is the argument: prints `ok N`, or the names that failed.
//
// It is built as the module `drive` with the verifier in the folder `webhook`.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"

	"drive/webhook"
)

type vector struct {
	Name       string         `json:"name"`
	Function   string         `json:"function"`
	Key        string         `json:"key"`
	Headers    map[string]any `json:"headers"`
	BodyBase64 string         `json:"body_base64"`
	Now        *int64         `json:"now"`
	Expected   any            `json:"expected"`
}

func (v vector) judge() any {
	body, err := base64.StdEncoding.DecodeString(v.BodyBase64)
	if err != nil {
		return err
	}
	headers := http.Header{}
	for name, value := range v.Headers {
		// Not by Set, which would write all names in one case.
		switch value := value.(type) {
		case string:
			headers[name] = []string{value}
		case []any:
			headers[name] = nil
			for _, each := range value {
				headers[name] = append(headers[name], each.(string))
			}
		}
	}
	now := time.Now()
	if v.Now != nil {
		now = time.Unix(*v.Now, 0)
	}
	switch v.Function {
	case "standard":
		return webhook.VerifyStandard(v.Key, headers, body, now)
	case "hub":
		return webhook.VerifyHub(v.Key, headers, body)
	case "timestamped":
		return webhook.VerifyTimestamped(v.Key, headers, body, now)
	case "challenge":
		if answer, ok := webhook.AnswerChallenge(body); ok {
			return string(answer)
		}
		return nil
	case "keys":
		found := []any{}
		for _, key := range webhook.PublicKeys(body) {
			found = append(found, key)
		}
		return found
	}
	return "no such function"
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var all struct{ Vectors []vector }
	if err := json.Unmarshal(text, &all); err != nil {
		panic(err)
	}
	var failed []string
	for _, vector := range all.Vectors {
		if !reflect.DeepEqual(vector.judge(), vector.Expected) {
			failed = append(failed, vector.Name)
		}
	}
	if webhook.VerifyStandard("whsec_AAAA", nil, nil, time.Now()) || webhook.VerifyHub("x", nil, nil) ||
		webhook.VerifyTimestamped("x", nil, nil, time.Now()) {
		failed = append(failed, "handed nil")
	}
	if len(failed) > 0 {
		fmt.Println("failed:", strings.Join(failed, "; "))
		os.Exit(1)
	}
	fmt.Println("ok", len(all.Vectors))
}
