package deliver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// TestMailArrives shows the mail that a target gets: through a server that
// demands TLS and a password, after a try that it put off.
func TestMailArrives(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	box := newLetterbox(t, "correct horse")
	box.refuse = func(n int) string {
		if n == 1 {
			return "451 later, please"
		}
		return ""
	}
	sender := NewMail(MailConfig{Host: "127.0.0.1", Port: box.port, Security: "starttls", User: "milepost", Password: "correct horse", From: "重大项目办 <office@example.cn>",
		To: []string{"a@example.cn", "b@example.cn"}, TLS: box.trust})
	courier := replica(t, js, c, p, nil, Target{Name: "mail", Edition: "official", Formats: []string{"docx", "md"}, Sender: sender})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	pass(t, courier)
	d := one(t, courier, "bulletin-2026-10", "mail")
	if d.State != Waiting || !strings.Contains(d.Error, "451") || d.NextAt.Sub(c.now()) != 45e9 {
		t.Fatalf("after the refusal: %+v", d)
	}
	pass(t, courier) // too early
	c.advance(d.NextAt.Sub(c.now()))
	pass(t, courier, courier)
	got := box.all()
	if len(got) != 1 || box.tries != 2 || !got[0].secured || got[0].user != "milepost" || len(got[0].to) != 2 {
		t.Fatalf("%d mails in %d tries: %+v", len(got), box.tries, got)
	}
	t.Log("\n" + got[0].text[:min(len(got[0].text), 1200)])
	message, err := mail.ReadMessage(strings.NewReader(got[0].text))
	if err != nil {
		t.Fatal(err)
	}
	if raw := message.Header.Get("Subject"); !strings.HasPrefix(raw, "=?UTF-8?") {
		t.Errorf("the subject is not encoded: %s", raw)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || subject != "全市重大项目建设进展情况通报(2026-10)" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if id := message.Header.Get("Message-Id"); id != "<"+d.Key+"@milepost>" {
		t.Errorf("message id %s", id)
	}
	if at, err := message.Header.Date(); err != nil || !at.Equal(c.now()) {
		t.Errorf("date %v, %v", at, err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for reader := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var text io.Reader = part
		if part.Header.Get("Content-Transfer-Encoding") == "base64" {
			text = base64.NewDecoder(base64.StdEncoding, part)
		}
		content, err := io.ReadAll(text)
		if err != nil {
			t.Fatal(err)
		}
		name, err := new(mime.WordDecoder).DecodeHeader(part.FileName())
		if err != nil {
			t.Fatal(err)
		}
		parts[name] = string(content)
	}
	if parts["通报-2026-10-official.docx"] != "正文 official docx" || parts["通报-2026-10-official.md"] != "正文 official md" || len(parts) != 3 {
		t.Errorf("attachments: %q", parts)
	}
	results := []Result{}
	for _, a := range one(t, courier, "bulletin-2026-10", "mail").Attempts {
		results = append(results, a.Result)
	}
	if !slices.Equal(results, []Result{Broke, Succeeded}) {
		t.Errorf("log %v", results)
	}
}

// TestWebhookArrivesSigned checks the signature as a receiver would.
func TestWebhookArrivesSigned(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	r := newReceiver(t, func(w http.ResponseWriter, n int) {
		if n == 1 {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	courier := replica(t, js, c, p, nil, Target{Name: "hook", Kinds: []string{"quarter"}, Edition: "media", Formats: []string{"md"}, Sender: NewWebhook(r.URL+"/in?key=k-123456", "hook-secret", loopback)})
	pass(t, courier)
	p.publish(c, "month", "2026-09", 9) // filtered
	p.publish(c, "quarter", "2026-Q3", 3)
	pass(t, courier)
	d := one(t, courier, "bulletin-2026-Q3", "hook")
	if wait := d.NextAt.Sub(c.now()); wait != 600e9 {
		t.Errorf("waits %v, was asked for 10 minutes", wait)
	}
	c.advance(600e9)
	pass(t, courier, courier)
	got := r.all()
	if len(got) != 2 || got[0].header.Get("Idempotency-Key") != d.Key || got[1].header.Get("Idempotency-Key") != d.Key {
		t.Fatalf("%d requests: %+v", len(got), got)
	}
	at := got[1].header.Get("Milepost-Timestamp")
	sum := hmac.New(sha256.New, []byte("hook-secret"))
	fmt.Fprintf(sum, "%s.%s", at, got[1].body)
	if got[1].header.Get("Milepost-Signature") != "v1="+hex.EncodeToString(sum.Sum(nil)) || at != fmt.Sprint(c.now().Unix()) {
		t.Errorf("signature %s at %s", got[1].header.Get("Milepost-Signature"), at)
	}
	t.Logf("%v\n%s", got[1].header, got[1].body)
	var e envelope
	if err := json.Unmarshal(got[1].body, &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != "bulletin-2026-Q3" || e.Number != 3 || len(e.Files) != 1 || string(e.Files[0].Content) != "正文 media md" || e.Link != "https://milepost.example/bulletin-2026-Q3" {
		t.Errorf("arrived: %+v", e)
	}
	if none, err := courier.c.Store.read(t.Context(), "bulletin-2026-09", "hook"); none != nil || err != nil {
		t.Errorf("a kind that is not wanted has a record: %v, %v", none, err)
	}
}

// TestRobotsArrive shows what each maker's robot gets.
func TestRobotsArrive(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	wecom := newReceiver(t, says(`{"errcode":0,"errmsg":"ok"}`))
	ding := newReceiver(t, says(`{"errcode":0,"errmsg":"ok"}`))
	feishu := newReceiver(t, says(`{"code":0,"msg":"success","data":{}}`))
	courier := replica(t, js, c, p, nil,
		Target{Name: "wecom", Edition: "official", Sender: NewWeCom(wecom.URL+"/cgi-bin/webhook/send?key=wk", loopback)},
		Target{Name: "ding", Edition: "official", Sender: NewDingTalk(ding.URL+"/robot/send?access_token=dt", "SECdt", loopback)},
		Target{Name: "feishu", Edition: "official", Sender: NewFeishu(feishu.URL+"/open-apis/bot/v2/hook/fk", "fs-secret", loopback)})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	pass(t, courier, courier)
	text := map[string]string{}
	for name, r := range map[string]*receiver{"wecom": wecom, "ding": ding, "feishu": feishu} {
		got := r.all()
		if len(got) != 1 {
			t.Fatalf("%s got %d messages", name, len(got))
		}
		t.Logf("%s %s?%s\n%s", name, got[0].path, got[0].query, got[0].body)
		text[name] = string(got[0].body)
		for _, words := range []string{"全市重大项目建设进展情况通报(2026-10)", "投资完成率", "97.2 %", "https://milepost.example/bulletin-2026-10"} {
			if !strings.Contains(text[name], words) {
				t.Errorf("%s lacks %s", name, words)
			}
		}
	}
	query, err := url.ParseQuery(ding.all()[0].query)
	if err != nil {
		t.Fatal(err)
	}
	stamp := fmt.Sprint(c.now().UnixMilli())
	sum := hmac.New(sha256.New, []byte("SECdt"))
	sum.Write([]byte(stamp + "\nSECdt"))
	if query.Get("timestamp") != stamp || query.Get("sign") != base64.StdEncoding.EncodeToString(sum.Sum(nil)) || query.Get("access_token") != "dt" {
		t.Errorf("DingTalk's address: %v", query)
	}
	var signed struct{ Timestamp, Sign string }
	if err := json.Unmarshal([]byte(text["feishu"]), &signed); err != nil {
		t.Fatal(err)
	}
	stamp = fmt.Sprint(c.now().Unix())
	sum = hmac.New(sha256.New, []byte(stamp+"\nfs-secret"))
	if signed.Timestamp != stamp || signed.Sign != base64.StdEncoding.EncodeToString(sum.Sum(nil)) {
		t.Errorf("Feishu's signature: %+v", signed)
	}
}

// TestRobotsKeepToTheirLimits sends far more than fits.
func TestRobotsKeepToTheirLimits(t *testing.T) {
	t.Parallel()
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprintf("【亮红灯】P-%04d \"企业%d有限公司\" <项目>", i, i)
	}
	for _, mobiles := range [][]string{nil, {"13800000000"}} {
		m := &Message{Key: "k", Title: strings.Repeat("长", 400), Lines: many, Link: "https://milepost.example/x", Recipient: Recipient{Mobiles: mobiles}}
		for name, limit := range map[string]int{"wecom": wecomMarkdown, "ding": dingTalkLimit, "feishu": feishuLimit} {
			body, err := map[string]func(*Message, string) (any, error){"wecom": wecomBody, "ding": dingTalkBody, "feishu": feishuBody}[name](m, "secret")
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			size := len(text)
			if name == "wecom" { // its limit is on the content
				content := body.(map[string]any)
				part := content[content["msgtype"].(string)].(map[string]any)["content"].(string)
				size = len(part)
				if mobiles != nil {
					limit = wecomText
				}
			}
			if size > limit || size < limit/3 || !strings.Contains(string(text), "另有") {
				t.Errorf("%s with %v: %d bytes of %d", name, mobiles, size, limit)
			}
		}
	}
}

// TestRobotThatRefuses answers 200 and a code.
func TestRobotThatRefuses(t *testing.T) {
	t.Parallel()
	for answer, pause := range map[string]bool{`{"errcode":93000,"errmsg":"invalid webhook url"}`: false, `{"errcode":45009,"errmsg":"api freq out of limit"}`: true, `<html>`: false, `{}`: false} {
		r := newReceiver(t, says(answer))
		err := NewWeCom(r.URL+"/send?key=0123456789abcdef", loopback).Send(t.Context(), &Message{Title: "x", At: newClock().now()})
		if err == nil || Permanent(err) || (retryAfter(err) == robotPause) != pause {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// TestFolderAndNATSArrive shows the two that are idempotent by themselves.
func TestFolderAndNATSArrive(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	dir := t.TempDir()
	courier := replica(t, js, c, p, nil,
		Target{Name: "folder", Edition: "official", Formats: []string{"pdf", "md"}, Sender: NewFolder(dir)},
		Target{Name: "nats", Edition: "media", Formats: []string{"md"}, Sender: NewSubject(js)})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	pass(t, courier)
	content, err := os.ReadFile(filepath.Join(dir, "month", "2026-10", "10", "通报-2026-10-official.pdf"))
	if err != nil || string(content) != "正文 official pdf" {
		t.Errorf("the file: %q, %v", content, err)
	}
	// The same once more: one message, since the key is the same.
	m := &Message{Key: one(t, courier, "bulletin-2026-10", "nats").Key, ID: "bulletin-2026-10", Class: EditionClass, Kind: "month", Period: "2026-10"}
	if err := NewSubject(js).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), BulletinStream)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("%d messages", n)
	}
	last, err := s.GetLastMsgForSubject(t.Context(), "milepost.bulletins.month.2026-10")
	if err != nil || last.Header.Get(jetstream.MsgIDHeader) != m.Key || !strings.Contains(string(last.Data), `"sha256"`) || strings.Contains(string(last.Data), `"content"`) {
		t.Errorf("the message: %+v, %v", last, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", ".unfinished*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
