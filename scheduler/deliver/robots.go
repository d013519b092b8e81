package deliver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"milepost/schemas"
)

// Robot posts to the robot of a chat group. Its address is a secret, since it
// holds the key.
type Robot struct {
	url, secret string
	client      *http.Client
	dialect     dialect
}

// dialect is what the robots of one maker want. They answer 200 also when they
// refuse, with a code in the body.
type dialect struct {
	// body makes the message within the maker's limit.
	body func(m *Message, secret string) (any, error)
	// address signs the address, where that is how it is done.
	address func(address, secret string, at time.Time) string
	code    string // member of the answer that is 0 when it was taken
	text    string // member that says why not
	// busy are codes for too many messages: those of a minute.
	busy []int64
}

// NewWeCom gives a robot of 企业微信.
func NewWeCom(url string, allowed []netip.Prefix) *Robot {
	return &Robot{url: url, client: newClient(allowed), dialect: dialect{body: wecomBody, code: "errcode", text: "errmsg", busy: []int64{45009}}}
}

// NewDingTalk gives a robot of 钉钉; with a secret its address is signed (加签).
func NewDingTalk(url, secret string, allowed []netip.Prefix) *Robot {
	return &Robot{url: url, secret: secret, client: newClient(allowed), dialect: dialect{body: dingTalkBody, address: dingTalkAddress, code: "errcode", text: "errmsg", busy: []int64{130101, 660026}}}
}

// NewFeishu gives a robot of 飞书; with a secret its body is signed (签名校验).
func NewFeishu(url, secret string, allowed []netip.Prefix) *Robot {
	return &Robot{url: url, secret: secret, client: newClient(allowed), dialect: dialect{body: feishuBody, code: "code", text: "msg", busy: []int64{11232}}}
}

// The limits of the makers on a message, in bytes.
const (
	wecomMarkdown = 4096
	wecomText     = 2048
	dingTalkLimit = 20_000
	feishuLimit   = 20 << 10
	robotPause    = time.Minute
	robotTitle    = 300
)

// Send posts the message: title, key figures or lines, and the link. Robots
// take no files.
func (r *Robot) Send(ctx context.Context, m *Message) error {
	return withoutSecrets(r.send(ctx, m), append(keysOf(r.url), r.secret, r.url)...)
}

func (r *Robot) send(ctx context.Context, m *Message) error {
	made, err := r.dialect.body(m, r.secret)
	if err != nil {
		return err
	}
	body, err := json.Marshal(made)
	if err != nil {
		return err
	}
	address := r.url
	if r.dialect.address != nil {
		address = r.dialect.address(address, r.secret, m.At)
	}
	answer, err := post(ctx, r.client, address, http.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"milepost"}}, body, m.At)
	if err != nil {
		return err
	}
	var verdict map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(answer)))
	decoder.UseNumber()
	if err := decoder.Decode(&verdict); err != nil {
		return failure("the robot's answer does not read", nil)
	}
	number, ok := verdict[r.dialect.code].(json.Number)
	if !ok {
		return failure("the robot's answer has no "+r.dialect.code, nil)
	}
	if number.String() == "0" {
		return nil
	}
	failed := failure(fmt.Sprintf("the robot answered %s: %v", number, verdict[r.dialect.text]), nil)
	code, err := number.Int64()
	for _, busy := range r.dialect.busy {
		if err == nil && code == busy {
			return &later{failed, robotPause}
		}
	}
	return failed
}

// wecomBody is markdown; a letter to people with mobile numbers is text, since
// only text mentions them.
func wecomBody(m *Message, _ string) (any, error) {
	title := cut(m.Title, robotTitle)
	if len(m.Recipient.Mobiles) > 0 {
		text := strings.Join(fitting(append([]string{title}, m.text()...), wecomText), "\n")
		return map[string]any{"msgtype": "text", "text": map[string]any{"content": cut(text, wecomText), "mentioned_mobile_list": m.Recipient.Mobiles}}, nil
	}
	head, foot := "## "+escaped(title)+"\n", link("\n[查看全文](%s)", m.Link)
	lines := fitting(quoted(m.text(), "> "), wecomMarkdown-len(head)-len(foot))
	return map[string]any{"msgtype": "markdown", "markdown": map[string]any{"content": head + strings.Join(lines, "\n") + foot}}, tooLong(len(foot), wecomMarkdown)
}

func dingTalkBody(m *Message, _ string) (any, error) {
	title := cut(m.Title, robotTitle)
	head, foot := "### "+escaped(title)+"\n\n", link("\n\n[查看全文](%s)", m.Link)
	for _, mobile := range m.Recipient.Mobiles {
		foot += " @" + mobile // it is mentioned only when the text names it
	}
	const room = dingTalkLimit / 2 // for the JSON around it, escapes included
	lines := fitting(quoted(m.text(), "- "), room-len(head)-len(foot))
	body := map[string]any{"msgtype": "markdown", "markdown": map[string]any{"title": title, "text": head + strings.Join(lines, "\n") + foot}}
	if len(m.Recipient.Mobiles) > 0 {
		body["at"] = map[string]any{"atMobiles": m.Recipient.Mobiles, "isAtAll": false}
	}
	return body, tooLong(len(foot), room)
}

func dingTalkAddress(address, secret string, at time.Time) string {
	if secret == "" {
		return address
	}
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(stamp + "\n" + secret))
	join := "?"
	if strings.Contains(address, "?") {
		join = "&"
	}
	return address + join + "timestamp=" + stamp + "&sign=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sum.Sum(nil)))
}

func feishuBody(m *Message, secret string) (any, error) {
	type part struct {
		Tag  string `json:"tag"`
		Text string `json:"text"`
		Href string `json:"href,omitempty"`
	}
	paragraphs := [][]part{}
	const room = feishuLimit / 2
	for _, line := range fitting(m.text(), room) {
		paragraphs = append(paragraphs, []part{{Tag: "text", Text: line}})
	}
	if m.Link != "" {
		paragraphs = append(paragraphs, []part{{Tag: "a", Text: "查看全文", Href: m.Link}})
	}
	body := map[string]any{"msg_type": "post", "content": map[string]any{"post": map[string]any{"zh_cn": map[string]any{"title": cut(m.Title, robotTitle), "content": paragraphs}}}}
	if secret != "" {
		stamp := strconv.FormatInt(m.At.Unix(), 10)
		sum := hmac.New(sha256.New, []byte(stamp+"\n"+secret)) // the maker signs nothing with this key
		body["timestamp"], body["sign"] = stamp, base64.StdEncoding.EncodeToString(sum.Sum(nil))
	}
	return body, tooLong(len(m.Link), room)
}

func link(format, address string) string {
	if address == "" {
		return ""
	}
	return fmt.Sprintf(format, address)
}

// quoted puts a mark before each line and keeps the lines' own marks from
// meaning anything.
func quoted(lines []string, mark string) []string {
	marked := make([]string, len(lines))
	for i, line := range lines {
		marked[i] = mark + escaped(line)
	}
	return marked
}

// escaped keeps names of strangers from becoming links or mentions.
func escaped(text string) string {
	return strings.NewReplacer("[", "【", "]", "】", "<", "〈", ">", "〉", "*", "＊", "`", "'", "\n", " ", "\r", " ").Replace(text)
}

func tooLong(link, limit int) error {
	if link > limit/2 {
		return &schemas.Error{Code: schemas.TooLarge, Message: "the link is too long for a message"}
	}
	return nil
}
