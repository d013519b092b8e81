package pages

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"milepost/schemas"
)

//go:embed templates
var templateFiles embed.FS

// templates are the pages by name; each has the frame.
type templates map[string]*template.Template

func readTemplates() (templates, error) {
	all := templates{}
	base, err := template.New("frame.html").Funcs(functions()).ParseFS(templateFiles, "templates/frame.html", "templates/parts*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		short := strings.TrimSuffix(path.Base(name), ".html")
		if short == "frame" || strings.HasPrefix(short, "parts") {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if all[short], err = page.ParseFS(templateFiles, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func functions() template.FuncMap {
	return template.FuncMap{
		"date": date, "wan": wan, "yi": yi, "percent": percent, "figure": figure, "signed": signed, "lateness": lateness, "movement": movement,
		"moment": moment, "month": month, "orUnknown": orUnknown, "actorName": actorName, "milestoneWord": milestoneWord, "milestoneName": milestoneName,
		"statusName":   func(s schemas.Status) string { return statusNames[s] },
		"lightName":    func(l schemas.Light) string { return lightNames[l] },
		"stageName":    func(s schemas.Stage) string { return stageNames[s] },
		"categoryName": func(c string) string { return categoryNames[c] },
		"kindName":     func(k string) string { return kindNames[k] },
		"apart":        apart, "hintName": func(h schemas.Hint) string { return hintNames[h] }, "editionPath": editionPath,
		"typeName": func(t schemas.Type) string { return typeNames[t] },
		"notesOf":  func(label string, notes []ImportNote) labelled { return labelled{label, notes} },
		"linkOf":   linkOf, "megabytes": megabytes, "roleName": func(r schemas.Role) string { return roleNames[r] },
		"inWords": inWords, "scheduleReason": ScheduleReason,
		"stacked": stacked, "gauge": gauge, "join": strings.Join,
	}
}

// frame is what every page has around its content.
type frame struct {
	Title     string
	Path      string // of the menu's entry
	Menu      []menuEntry
	Principal *schemas.Principal
	LoggedIn  bool
	Style     string
	Scripts   []string
	Content   any
}

type menuEntry struct{ Path, Name string }

// menu lists what the principal may open.
func menu(p *schemas.Principal) []menuEntry {
	if p == nil {
		return nil
	}
	var entries []menuEntry
	add := func(needs schemas.Permission, path, name string) {
		if p.Role.May(needs) {
			entries = append(entries, menuEntry{path, name})
		}
	}
	add(schemas.MaySeeLedger, "/", "总览")
	add(schemas.MaySeeLedger, "/ledger", "台账")
	add(schemas.MayPublish, "/report", "填报")
	add(schemas.MayRead, "/bulletins", "通报")
	add(schemas.MayRead, "/assessment", "考核")
	add(schemas.MayAnswer, "/answers", "征求意见")
	add(schemas.MayRead, "/query", "查询")
	add(schemas.MayAdminister, "/admin", "管理")
	return entries
}

// show writes a page; nothing is sent when it cannot be made whole.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, name, title string, content any) error {
	principal := schemas.PrincipalOf(r.Context())
	f := frame{
		Title: title, Path: "/" + strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")[0], Menu: menu(principal), Principal: principal,
		LoggedIn: principal != nil && principal.ID != "", Style: p.address("style.css"), Content: content,
	}
	if f.Path == "/projects" {
		f.Path = "/ledger"
	}
	for _, script := range []string{scriptName, "live.js", "busy.js"} {
		if address := p.address(script); address != "" {
			f.Scripts = append(f.Scripts, address)
		}
	}
	return p.write(w, status, name, "frame.html", f)
}

func (p *Pages) write(w http.ResponseWriter, status int, page, block string, data any) error {
	var text bytes.Buffer
	if err := p.templates[page].ExecuteTemplate(&text, block, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if f, ok := data.(frame); ok {
		data = f.Content
	}
	one, ok := data.(secretive)
	send(w, status, text.Bytes(), ok && one.HasSecret())
	return nil
}

// isPart tells whether htmx asks for a part of the page.
func isPart(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") != "true"
}

// Refuse answers with a page that says why there is none. Who has to log in
// first is sent there, and comes back.
func (p *Pages) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	secure(w)
	var e *schemas.Error
	if !errors.As(err, &e) {
		p.Log.ErrorContext(r.Context(), "a page failed", "path", schemas.Shorten(r.URL.Path), "error", err)
		e = &schemas.Error{Code: schemas.Internal, Message: "the server failed", Hint: "the server's log says why"}
	}
	if e.Code == schemas.Unauthenticated && r.Method == http.MethodGet && r.URL.Path != "/live" && !isPart(r) {
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	status := e.Code.Status()
	if err := p.show(w, r, status, "error", "出错了", inChinese(e)); err != nil {
		p.Log.ErrorContext(r.Context(), "the page of an error failed", "error", err)
		http.Error(w, e.Message, status)
	}
}
