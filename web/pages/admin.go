package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"milepost/schemas"
)

// Administration is what admins see and do: the same as by command.
type Administration interface {
	// Tokens lists all tokens, the oldest first.
	Tokens(ctx context.Context) []TokenRow
	// CreateToken makes a token and gives its text, which is kept nowhere; the
	// error may join several.
	CreateToken(ctx context.Context, wish TokenWish) (token TokenRow, text string, err error)
	RevokeToken(ctx context.Context, id string) error

	Schedule(ctx context.Context) (*ScheduleView, error)

	// Deliveries lists the latest, the newest first, and how the targets do.
	Deliveries(ctx context.Context, limit int) ([]DeliveryRow, []TargetRow, error)
	DeliverAgain(ctx context.Context, id, target string) error

	// DeadLetters lists the newest first: the open ones, or all.
	DeadLetters(ctx context.Context, limit int, all bool) ([]schemas.DeadLetter, error)
	DeadLetter(ctx context.Context, seq uint64) (letter *schemas.DeadLetter, raw []byte, err error)
	Resend(ctx context.Context, seq uint64, event []byte) error
	Discard(ctx context.Context, seq uint64, reason string) error

	// Health tells how the parts of the installation do.
	Health(ctx context.Context) []HealthItem
	// ConfigFile is where the configuration is, empty for the defaults.
	ConfigFile() string
}

// TokenRow is a token without its secret.
type TokenRow struct {
	ID, Name               string
	Role                   schemas.Role
	Districts, Departments []string
	SourcePrefix           string
	Types                  []schemas.Type
	Created                time.Time
	CreatedBy              string
	Expires, Revoked       *time.Time
	State                  string // valid, expired or revoked
}

// TokenWish asks for a token.
type TokenWish struct {
	Role                   schemas.Role
	Name                   string
	Districts, Departments []string
	SourcePrefix           string
	Types                  []schemas.Type
	Expires                string // such as 90d; empty is never
}

// ScheduleView is what runs next, what ran, and why or why not.
type ScheduleView struct {
	TimeZone, Since, Lease string
	MissingHolidays        []int
	Jobs                   []ScheduledJob
}

// Owed tells whether something is due and not done, Ran whether something was.
func (v *ScheduleView) Owed() bool {
	return slices.ContainsFunc(v.Jobs, func(j ScheduledJob) bool { return len(j.Waiting) > 0 })
}

// Ran tells whether a run is recorded.
func (v *ScheduleView) Ran() bool {
	return slices.ContainsFunc(v.Jobs, func(j ScheduledJob) bool { return len(j.Last) > 0 })
}

// ScheduledJob is one job of the schedule, its times in words.
type ScheduledJob struct {
	Name, Rule, Mode string
	Next             []string
	Waiting          []ScheduledRun
	Last             []ScheduledRun
}

// ScheduledRun is a run that is owed or was.
type ScheduledRun struct {
	Period, Due, Started, Result, Replica, Reason string
	Number                                        int
	KnownSeq                                      uint64
}

// DeliveryRow is one delivery to one target.
type DeliveryRow struct {
	ID, Target, Title, State, Class string
	Tries                           int
	DeliveredAt, NextAt             *time.Time
	Error                           string
}

// TargetRow is how a target does.
type TargetRow struct {
	Name                   string
	Failures               int
	FailingSince, PausedAt *time.Time
	Error                  string
}

// HealthItem is one thing that is looked at; its state is green, yellow or red.
type HealthItem struct{ Name, Value, State, Note string }

// adminTab is an entry of the menu of administration.
type adminTab struct {
	Name, Address string
	Current       bool
}

func adminTabs(current string) []adminTab {
	var tabs []adminTab
	for _, one := range [][2]string{{"运行", "/admin"}, {"令牌", "/admin/tokens"}, {"规则", "/admin/rules"}, {"排程", "/admin/schedule"}, {"投递", "/admin/deliveries"}, {"退件", "/admin/dead-letters"}} {
		tabs = append(tabs, adminTab{one[0], one[1], one[1] == current})
	}
	return tabs
}

// adminContent is what the pages of administration show.
type adminContent struct {
	Tabs   []adminTab
	Notice string
	Config string

	Health []HealthItem

	Tokens    []TokenRow
	Districts []schemas.District
	Roles     []schemas.Role
	Nameless  bool // nobody logged in, so that no token can be made here
	Wish      TokenWish
	Wrong     map[string]*schemas.Error
	Secret    string
	Made      TokenRow

	Sets []ruleSet

	Schedule *ScheduleView

	Deliveries []DeliveryRow
	Targets    []TargetRow

	Letters []schemas.DeadLetter
	All     bool
	Letter  *schemas.DeadLetter
	Text    string
	Binary  bool
	Refused *schemas.Error
}

// HasSecret tells whether the page shows a token's text.
func (c *adminContent) HasSecret() bool { return c.Secret != "" }

// doneNotices are what a page says after something was done.
var doneNotices = map[string]string{
	"revoked": "令牌已作废，用它登录的人随即退出。", "again": "已排队再次发送。", "resent": "已重新报送，退件结案。", "discarded": "退件已作废结案。",
}

func (p *Pages) adminOf(r *http.Request, tab string) *adminContent {
	return &adminContent{Tabs: adminTabs(tab), Notice: doneNotices[r.FormValue("done")], Wrong: map[string]*schemas.Error{}, Config: p.Admin.ConfigFile()}
}

// registerAdmin adds the pages of administration, where there is one.
func (p *Pages) registerAdmin(mux *http.ServeMux) {
	if p.Admin == nil {
		return
	}
	mux.HandleFunc("GET /admin", p.page(p.adminHealth))
	mux.HandleFunc("GET /admin/tokens", p.page(p.adminTokens))
	mux.HandleFunc("POST /admin/tokens", p.page(p.createToken))
	mux.HandleFunc("POST /admin/tokens/{id}/revoke", p.page(p.revokeToken))
	mux.HandleFunc("GET /admin/rules", p.page(p.adminRules))
	mux.HandleFunc("GET /admin/schedule", p.page(p.adminSchedule))
	mux.HandleFunc("GET /admin/deliveries", p.page(p.adminDeliveries))
	mux.HandleFunc("POST /admin/deliveries/{id}/again", p.page(p.deliverAgain))
	mux.HandleFunc("GET /admin/dead-letters", p.page(p.adminDeadLetters))
	mux.HandleFunc("GET /admin/dead-letters/{seq}", p.page(p.adminDeadLetter))
	mux.HandleFunc("POST /admin/dead-letters/{seq}/resend", p.page(p.resend))
	mux.HandleFunc("POST /admin/dead-letters/{seq}/discard", p.page(p.discard))
}

func (p *Pages) adminHealth(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin")
	c.Health = p.Admin.Health(r.Context())
	return p.show(w, r, http.StatusOK, "admin", "运行情况", c)
}

func (p *Pages) adminSchedule(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/schedule")
	var err error
	if c.Schedule, err = p.Admin.Schedule(r.Context()); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "adminschedule", "排程", c)
}

// shownDeliveries bounds the deliveries of a page.
const shownDeliveries = 200

func (p *Pages) adminDeliveries(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/deliveries")
	var err error
	if c.Deliveries, c.Targets, err = p.Admin.Deliveries(r.Context(), shownDeliveries); err != nil {
		return err
	}
	return p.show(w, r, http.StatusOK, "admindeliveries", "投递", c)
}

func (p *Pages) deliverAgain(w http.ResponseWriter, r *http.Request) error {
	if err := p.Admin.DeliverAgain(r.Context(), r.PathValue("id"), r.FormValue("target")); err != nil {
		return err
	}
	http.Redirect(w, r, "/admin/deliveries?done=again", http.StatusSeeOther)
	return nil
}

func (p *Pages) adminTokens(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/tokens")
	c.Wish = TokenWish{Role: schemas.RoleOffice, Expires: "365d"}
	return p.showTokens(w, r, http.StatusOK, c)
}

func (p *Pages) showTokens(w http.ResponseWriter, r *http.Request, status int, c *adminContent) error {
	c.Tokens = p.Admin.Tokens(r.Context())
	slices.Reverse(c.Tokens)
	c.Districts = append(slices.Clone(p.Rules.On(schemas.DateOf(p.Now())).Districts), schemas.District{Code: schemas.CityDistrict, Name: "市级"})
	c.Roles = schemas.Roles()
	principal := schemas.PrincipalOf(r.Context())
	c.Nameless = principal == nil || principal.ID == ""
	return p.show(w, r, status, "admintokens", "令牌", c)
}

// createToken answers POST /admin/tokens with the token's text, this once.
func (p *Pages) createToken(w http.ResponseWriter, r *http.Request) error {
	c := p.adminOf(r, "/admin/tokens")
	c.Wish = TokenWish{Role: schemas.Role(r.FormValue("role")), Name: r.FormValue("name"), Departments: words(r.FormValue("departments")), SourcePrefix: r.FormValue("source_prefix"), Expires: r.FormValue("expires"), Districts: r.Form["district"]}
	for _, word := range words(r.FormValue("types")) {
		c.Wish.Types = append(c.Wish.Types, schemas.Type(word))
	}
	token, text, err := p.Admin.CreateToken(r.Context(), c.Wish)
	if err != nil {
		for _, one := range eachError(err) {
			if one.Code != schemas.Invalid {
				return err
			}
			c.Wrong[one.Field] = inChinese(one)
		}
		return p.showTokens(w, r, http.StatusUnprocessableEntity, c)
	}
	c.Secret, c.Made = text, token
	return p.showTokens(w, r, http.StatusCreated, c)
}

// eachError takes joined errors apart.
func eachError(err error) []*schemas.Error {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	var each []*schemas.Error
	for _, one := range list {
		e, ok := one.(*schemas.Error)
		if !ok {
			e = &schemas.Error{Code: schemas.Internal, Message: "the server failed", Err: one}
		}
		each = append(each, e)
	}
	return each
}

func (p *Pages) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if err := p.Admin.RevokeToken(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	http.Redirect(w, r, "/admin/tokens?"+url.Values{"done": {"revoked"}}.Encode(), http.StatusSeeOther)
	return nil
}
