package access

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"milepost/schemas"
)

// Rule says who may use a route, and what a request to it may take.
type Rule struct {
	// Pattern is one of http.ServeMux, such as "POST /v1/replay".
	Pattern string
	// Needs is the permission; empty lets everybody in, without a token.
	Needs schemas.Permission
	// Upload marks bodies that are read while they arrive; their handlers
	// bound them. Any other body is read before, up to MaxBody bytes.
	Upload  bool
	MaxBody int64
	// Page marks what people open in a browser: refusals are pages, too.
	Page bool
	// Act names what the audit records before and after it is done; Target is
	// the name of the path's part that is acted on.
	Act, Target string
}

// Config is what a Guard stands on. Tokens, Trail, Rules, Now and Log are
// needed.
type Config struct {
	Tokens *Store
	Trail  *Trail
	Rules  []Rule
	// Operator is the operator's token, "" for none.
	Operator string
	// LocalOnly says that the listener is reached from this machine only.
	// While there are no tokens its requests must then name this machine.
	LocalOnly bool
	// Proxies are those whose word is taken for where a request came from.
	Proxies []netip.Prefix
	Limits  Limits
	// Sessions let in browsers that logged in with a token; nil lets in none.
	Sessions *Sessions
	// PageRefused answers a refused request of a page; nil answers as for the
	// others, with a problem document.
	PageRefused func(w http.ResponseWriter, r *http.Request, err error)
	Now         func() time.Time
	Log         *slog.Logger
}

// Guard stands before the routes of a server. What no rule names, only an admin
// may use.
type Guard struct {
	Config
	rules     *http.ServeMux
	byPattern map[string]Rule
	next      http.Handler
	rate      *meters
	strangers *meters
	uploads   *slots
}

// NewGuard gives the handler that lets in to next whom the rules admit.
func NewGuard(c Config, next http.Handler) *Guard {
	c.Limits = c.Limits.withDefaults()
	g := &Guard{
		Config: c, next: next, rules: http.NewServeMux(), byPattern: map[string]Rule{},
		rate: newMeters(c.Limits.Rate, c.Limits.Burst, c.Now), strangers: newMeters(strangerRate, strangerBurst, c.Now),
		uploads: newSlots(c.Limits.Uploads, c.Limits.TokenUploads),
	}
	for _, rule := range c.Rules {
		g.byPattern[rule.Pattern] = rule
		g.rules.Handle(rule.Pattern, http.NotFoundHandler())
	}
	return g
}

// smallBody bounds the bodies of routes that say nothing of theirs.
const smallBody = 64 << 10

// ruleOf gives the rule of a request's route.
func (g *Guard) ruleOf(r *http.Request) Rule {
	_, pattern := g.rules.Handler(r)
	if rule, found := g.byPattern[pattern]; found {
		return rule
	}
	return Rule{Needs: schemas.MayAdminister, Page: WantsPage(r)}
}

// WantsPage tells whether a browser asks for a page, rather than a program for
// the HTTP interface.
func WantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/v1/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ServeHTTP lets a request in or answers why not.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rule := g.ruleOf(r)
	if rule.Needs == "" {
		g.next.ServeHTTP(w, r)
		return
	}
	remote := remoteOf(r, g.Proxies)
	p, err := g.principal(r, remote)
	if err != nil {
		g.refuseStranger(w, r, rule, remote, err)
		return
	}
	if !p.Role.May(rule.Needs) {
		g.refuseRole(w, r, rule, p)
		return
	}
	if p.ID != "" {
		if wait := g.rate.take(p.ID); wait > 0 {
			tooMany(w, wait, "the token sends too many requests")
			return
		}
	}
	r = r.WithContext(schemas.WithPrincipal(r.Context(), p))
	switch {
	case rule.Upload:
		key := p.Actor()
		if !g.uploads.enter(key) {
			tooMany(w, time.Second, "too many uploads go on at once")
			return
		}
		defer g.uploads.leave(key)
	default:
		if err := g.readBody(w, r, rule.MaxBody); err != nil {
			g.refuse(w, r, rule, err)
			return
		}
	}
	if rule.Act != "" {
		g.act(w, r, rule, p)
		return
	}
	g.next.ServeHTTP(w, r)
}

// principal finds who sends the request.
func (g *Guard) principal(r *http.Request, remote string) (*schemas.Principal, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 0 {
		if p, err := g.Sessions.principal(r, remote); p != nil || err != nil {
			return p, err
		}
		return g.nameless(r, remote)
	}
	scheme, text, _ := strings.Cut(given[0], " ")
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return nil, &schemas.Error{Code: schemas.Unauthenticated, Field: "Authorization", Message: "not one bearer token", Hint: "send Authorization: Bearer mp_…"}
	}
	text = strings.TrimSpace(text)
	if g.Operator != "" && subtle.ConstantTimeCompare([]byte(text), []byte(g.Operator)) == 1 {
		return &schemas.Principal{ID: OperatorID, Role: schemas.RoleAdmin, Remote: remote}, nil
	}
	token, err := g.Tokens.Find(text)
	if err == nil {
		return token.principal(remote), nil
	}
	// Only bad tokens are counted: others of the same network go on.
	if wait := g.strangers.take(network(remote)); wait > 0 {
		return nil, &busy{wait}
	}
	return nil, err
}

// nameless admits a sender without a token while the server has none.
func (g *Guard) nameless(r *http.Request, remote string) (*schemas.Principal, error) {
	if g.Tokens.Used() {
		return nil, &schemas.Error{Code: schemas.Unauthenticated, Field: "Authorization", Message: "this server needs a token", Hint: "send Authorization: Bearer mp_…; commands take --token or MILEPOST_TOKEN"}
	}
	if g.LocalOnly {
		if err := checkHost(r); err != nil {
			return nil, err
		}
	}
	if err := checkOrigin(r); err != nil {
		return nil, err
	}
	return &schemas.Principal{Role: schemas.RoleAdmin, Remote: remote}, nil
}

// busy says that a network tried too many bad tokens.
type busy struct{ wait time.Duration }

// Error names the reason.
func (*busy) Error() string { return "too many bad tokens" }

// refuse answers a request that is not let in.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, rule Rule, err error) {
	if rule.Page && g.PageRefused != nil {
		g.PageRefused(w, r, err)
		return
	}
	schemas.WriteProblem(w, err)
}

func (g *Guard) refuseStranger(w http.ResponseWriter, r *http.Request, rule Rule, remote string, err error) {
	var b *busy
	if errors.As(err, &b) {
		tooMany(w, b.wait, "too many bad tokens came from this network")
		return
	}
	if schemas.CodeOf(err) == schemas.Unauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="milepost"`)
	}
	g.Log.InfoContext(r.Context(), "a request was refused", "method", r.Method, "path", schemas.Shorten(r.URL.Path), "remote", remote, "reason", err)
	g.refuse(w, r, rule, err)
}

// refuseRole answers a sender who is known and may not. What would have changed
// something is recorded.
func (g *Guard) refuseRole(w http.ResponseWriter, r *http.Request, rule Rule, p *schemas.Principal) {
	// Refusals count against the token's rate, so that they cannot fill the
	// audit.
	if wait := g.rate.take(p.Actor()); wait > 0 {
		tooMany(w, wait, "the token sends too many requests")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		record := g.record(r, rule, p)
		if record.Action == "" {
			record.Action = "request"
		}
		record.Result, record.Status, record.Code = schemas.AuditRefused, http.StatusForbidden, schemas.Forbidden
		if err := g.Trail.Write(r.Context(), record); err != nil {
			g.Log.ErrorContext(r.Context(), "a refusal was not recorded", "record", *record, "error", err)
		}
	}
	r = r.WithContext(schemas.WithPrincipal(r.Context(), p))
	g.refuse(w, r, rule, &schemas.Error{Code: schemas.Forbidden, Field: "Authorization", Value: string(p.Role), Message: "the token's role may not do this", Hint: roleHint(rule.Needs)})
}

func roleHint(needed schemas.Permission) string {
	var able []string
	for _, role := range schemas.Roles() {
		if role.May(needed) {
			able = append(able, string(role))
		}
	}
	return "use a token of role " + strings.Join(able, ", ")
}

// readBody reads a small body before anything is done, so that a sender who is
// slow, or stops, holds up nothing.
func (g *Guard) readBody(w http.ResponseWriter, r *http.Request, limit int64) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if limit <= 0 {
		limit = smallBody
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(g.Limits.Body)) // a writer without deadlines is read without
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &schemas.Error{Code: schemas.TooLarge, Message: "the body is too large", Hint: "see the limits of this route"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &schemas.Error{Code: schemas.TooSlow, Message: "the body did not arrive in time", Hint: "send it again; nothing was done"}
	case err != nil:
		return &schemas.Error{Code: schemas.Malformed, Message: "the body broke off", Hint: "send it again; nothing was done", Err: err}
	}
	_ = control.SetReadDeadline(time.Time{})
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// record begins what the audit says of a request.
func (g *Guard) record(r *http.Request, rule Rule, p *schemas.Principal) *schemas.AuditRecord {
	record := &schemas.AuditRecord{Action: rule.Act, Actor: p.Actor(), Name: p.Name, Remote: p.Remote, Target: schemas.Shorten(r.URL.Path), Requests: 1}
	if rule.Target != "" {
		record.Target = targetOf(rule, r.URL.Path)
	}
	return record
}

// targetOf takes the part of the path that the rule names.
func targetOf(rule Rule, path string) string {
	_, pattern, _ := strings.Cut(rule.Pattern, " ")
	parts := strings.Split(path, "/")
	for i, step := range strings.Split(pattern, "/") {
		if step == "{"+rule.Target+"}" && i < len(parts) {
			return schemas.Shorten(parts[i])
		}
	}
	return schemas.Shorten(path)
}

// act does what must be recorded: first that it is begun, without which it is
// not done, then how it ended.
func (g *Guard) act(w http.ResponseWriter, r *http.Request, rule Rule, p *schemas.Principal) {
	record := g.record(r, rule, p)
	record.Result = schemas.AuditBegun
	if err := g.Trail.Write(r.Context(), record); err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	seen := &seenWriter{ResponseWriter: w}
	record.Result = schemas.AuditFailed // unless the handler returns
	defer func() {
		record.Status, record.Code = seen.status, seen.code()
		if target := seen.target; target != "" {
			record.Target = target
		}
		// It is done, whether the one who asked still listens or not.
		if err := g.Trail.Write(context.WithoutCancel(r.Context()), record); err != nil {
			g.Log.ErrorContext(r.Context(), "how an act ended was not recorded", "record", *record, "error", err)
		}
	}()
	g.next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), targetKey{}, seen)))
	switch {
	case seen.status >= 500:
	case seen.status >= 400:
		record.Result = schemas.AuditRefused
	default:
		record.Result = schemas.AuditDone
	}
}

type targetKey struct{}

// NoteRefusal tells the audit why an act was refused, when the answer is a page
// that does not say its code.
func NoteRefusal(ctx context.Context, code schemas.Code) {
	if seen, ok := ctx.Value(targetKey{}).(*seenWriter); ok {
		seen.refused = code
	}
}

// ActedOn tells the audit what the act of a request made, when its path does
// not say it.
func ActedOn(ctx context.Context, target string) {
	if seen, ok := ctx.Value(targetKey{}).(*seenWriter); ok {
		seen.target = schemas.Shorten(target)
	}
}
