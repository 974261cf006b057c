// Package webhook verifies what Hookport delivers. Go 1.19 or later, standard library only. Copy this file;
// docs/verify.md tells of it.
//
//	func hooks(w http.ResponseWriter, r *http.Request) {
//		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
//		if err != nil || !webhook.VerifyStandard(secret, r.Header, body, time.Now()) {
//			http.Error(w, "not genuine", http.StatusUnauthorized)
//			return
//		}
//		if answer, ok := webhook.AnswerChallenge(body); ok {
//			w.Header().Set("Content-Type", "application/json")
//			w.Write(answer)
//			return
//		}
//		w.WriteHeader(http.StatusNoContent)
//	}
//
// The signature is over the bytes that came: read them before anything decodes them, because JSON that was decoded and
// written again is other bytes. Gin: c.GetRawData(), not c.ShouldBindJSON; Echo: io.ReadAll(c.Request().Body), not
// c.Bind. Lambda: base64 if event.IsBase64Encoded.
//
// What cannot be right is false; nothing that a sender sends makes these panic.
package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Tolerance is how far the time of a delivery may lie from now, either way.
const Tolerance = 300 * time.Second

const (
	maxSignatures     = 16
	maxChallengeBytes = 4096
)

var (
	// A full stop in the id would let a part of the body pass for the time.
	idForm        = regexp.MustCompile(`^[!-\-/-~]{1,256}$`)
	timeForm      = regexp.MustCompile(`^[0-9]{1,15}$`)
	challengeForm = regexp.MustCompile(`^[0-9A-Za-z_-]{1,256}$`)
)

// VerifyStandard judges the dialect `standard`: `webhook-signature` over `{webhook-id}.{webhook-timestamp}.{body}`.
//
// key is a secret (`whsec_…`), for the signatures `v1`, or a public key (`whpk_…`), for the signatures `v1a`.
func VerifyStandard(key string, headers http.Header, body []byte, now time.Time) bool {
	id, _ := one(headers, "webhook-id")
	timestamp, _ := one(headers, "webhook-timestamp")
	given, _ := one(headers, "webhook-signature")
	if key == "" || !idForm.MatchString(id) || !isRecent(timestamp, now) {
		return false
	}
	var entries []string
	for _, entry := range strings.Split(given, " ") {
		if entry != "" {
			entries = append(entries, entry)
		}
	}
	if len(entries) > maxSignatures {
		return false
	}
	signed := append([]byte(id+"."+timestamp+"."), body...)
	if strings.HasPrefix(key, "whpk_") {
		public, ok := decode(key[len("whpk_"):])
		if !ok || len(public) != ed25519.PublicKeySize {
			return false
		}
		for _, entry := range entries {
			if !strings.HasPrefix(entry, "v1a,") {
				continue
			}
			signature, ok := decode(entry[len("v1a,"):])
			if ok && len(signature) == ed25519.SignatureSize && ed25519.Verify(public, signed, signature) {
				return true
			}
		}
		return false
	}
	secret, ok := decode(strings.TrimPrefix(key, "whsec_"))
	if !ok && !strings.HasPrefix(key, "whsec_") {
		secret = []byte(key)
	}
	if len(secret) == 0 {
		return false
	}
	expected := "v1," + base64.StdEncoding.EncodeToString(tag(secret, signed))
	holds := false
	for _, entry := range entries {
		holds = hmac.Equal([]byte(entry), []byte(expected)) || holds
	}
	return holds
}

// VerifyHub judges the dialect `hub`: `X-Hub-Signature-256` or `X-Webhook-Signature`, over the body alone.
func VerifyHub(secret string, headers http.Header, body []byte) bool {
	given, ok := one(headers, "x-hub-signature-256")
	if !ok {
		given, _ = one(headers, "x-webhook-signature")
	}
	if secret == "" || !strings.HasPrefix(given, "sha256=") {
		return false
	}
	return isTag(given[len("sha256="):], tag([]byte(secret), body))
}

// VerifyTimestamped judges the dialect `timestamped`: `X-Hookport-Signature: t=…,v1=…` over `{t}.{body}`.
func VerifyTimestamped(secret string, headers http.Header, body []byte, now time.Time) bool {
	given, _ := one(headers, "x-hookport-signature")
	var times, tags []string
	parts := strings.Split(given, ",")
	for _, part := range parts {
		part = strings.Trim(part, " \t")
		if strings.HasPrefix(part, "t=") {
			times = append(times, part[len("t="):])
		} else if strings.HasPrefix(part, "v1=") {
			tags = append(tags, part[len("v1="):])
		}
	}
	if secret == "" || len(parts) > maxSignatures || len(times) != 1 || !isRecent(times[0], now) {
		return false
	}
	expected := tag([]byte(secret), append([]byte(times[0]+"."), body...))
	holds := false
	for _, one := range tags {
		holds = isTag(one, expected) || holds
	}
	return holds
}

// AnswerChallenge gives the body to answer with, status 200 and `application/json`, if body is a challenge. Verify
// first.
func AnswerChallenge(body []byte) ([]byte, bool) {
	if len(body) > maxChallengeBytes || !utf8.Valid(body) {
		return nil, false
	}
	// A struct would take members in any case.
	var members map[string]any
	if json.Unmarshal(body, &members) != nil || members["type"] != "webhook.challenge" {
		return nil, false
	}
	challenge, _ := members["challenge"].(string)
	if !challengeForm.MatchString(challenge) {
		return nil, false
	}
	return []byte(`{"challenge":"` + challenge + `"}`), true
}

// PublicKeys gives the Ed25519 keys in a `jwks.json`, as `whpk_…`. A delivery is genuine if it is by one of them.
func PublicKeys(jwks []byte) []string {
	found := []string{}
	var set map[string]any
	if json.Unmarshal(jwks, &set) != nil {
		return found
	}
	keys, _ := set["keys"].([]any)
	for _, each := range keys {
		key, _ := each.(map[string]any)
		use, named := key["use"]
		if key["kty"] != "OKP" || key["crv"] != "Ed25519" || (named && use != "sig") {
			continue
		}
		text, _ := key["x"].(string)
		x, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err == nil && len(x) == ed25519.PublicKeySize {
			found = append(found, "whpk_"+base64.StdEncoding.EncodeToString(x))
		}
	}
	return found
}

// one gives the value of the header, if there is just one.
func one(headers http.Header, name string) (string, bool) {
	var found []string
	for key, values := range headers {
		if strings.EqualFold(key, name) {
			found = append(found, values...)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

func isRecent(timestamp string, now time.Time) bool {
	if !timeForm.MatchString(timestamp) {
		return false
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	away := now.Unix() - seconds
	return err == nil && -int64(Tolerance/time.Second) <= away && away <= int64(Tolerance/time.Second)
}

// decode gives what the text stands for, if it is padded, canonical base64.
func decode(text string) ([]byte, bool) {
	found, err := base64.StdEncoding.DecodeString(text)
	return found, err == nil && base64.StdEncoding.EncodeToString(found) == text
}

func tag(key, signed []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(signed)
	return mac.Sum(nil)
}

func isTag(text string, expected []byte) bool {
	given, err := hex.DecodeString(text)
	return err == nil && hmac.Equal(given, expected)
}
