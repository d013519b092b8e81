package render

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"milepost/scheduler/bulletin"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew; look at the difference before keeping it")

type example struct {
	Model    *schemas.Bulletin `json:"model"`
	Projects map[string]string `json:"projects"`
	Details  *bulletin.Details `json:"details"`
}

func load(t *testing.T, name string) (*schemas.Bulletin, Names) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e example
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	return e.Model, Names{Rules: schemas.DefaultRules(), Projects: e.Projects, Details: e.Details}
}

type renderer func(io.Writer, *schemas.Bulletin, Names) error

func renderers() map[string]renderer {
	return map[string]renderer{"md": Markdown, "html": HTML, "media.md": media(Markdown),
		"json": func(w io.Writer, model *schemas.Bulletin, _ Names) error { return JSON(w, model) }}
}

// media writes the media edition; an example without a ledger has none.
func media(r renderer) renderer {
	return func(w io.Writer, model *schemas.Bulletin, names Names) error {
		names.Edition = document.Media
		if names.Details == nil {
			names.Details = &bulletin.Details{Ledger: &schemas.Ledger{}}
		}
		return r(w, model, names)
	}
}

func render(t *testing.T, r renderer, model *schemas.Bulletin, names Names) string {
	t.Helper()
	var b bytes.Buffer
	if err := r(&b, model, names); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden files hold a draft with short lists and a numbered edition whose
// lists go to annexes. A difference means that an edition published before can
// no longer be made again: raise TemplateVersion with it.
func TestGoldenFiles(t *testing.T) {
	for _, name := range []string{"small", "city", "october", "empty"} {
		model, names := load(t, name)
		for extension, r := range renderers() {
			t.Run(name+"."+extension, func(t *testing.T) {
				got := render(t, r, model, names)
				if again := render(t, r, model, names); again != got {
					t.Error("the same model gave other bytes")
				}
				if extension == "html" && len(got) > 500_000 {
					return // its words are those of the Markdown
				}
				path := filepath.Join("testdata", name+".golden."+extension)
				if *update {
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestJSONIsReadBackToTheSameModel(t *testing.T) {
	model, names := load(t, "city")
	written := render(t, renderers()["json"], model, names)
	var read schemas.Bulletin
	if err := json.Unmarshal([]byte(written), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(written, render(t, renderers()["json"], &read, names)); diff != "" {
		t.Error(diff)
	}
}

func TestNamesNeverBecomeMarkup(t *testing.T) {
	model, names := load(t, "small")
	hostile := "<script>alert(1)</script>|*厂*\n## 一"
	model.Lagging[0].Name, model.Reached[0].Name = hostile, hostile
	model.Groups[0].Rows[0].Name = hostile
	if page := render(t, HTML, model, names); strings.Contains(page, "<script>") || strings.Contains(page, "alert(1)</") {
		t.Error("a name became an element")
	}
	for _, line := range strings.Split(render(t, Markdown, model, names), "\n") {
		if strings.HasPrefix(line, "## 一") && line != "## 一、总体情况" {
			t.Errorf("a name became a heading: %s", line)
		}
		if strings.Contains(line, "<script") && !strings.Contains(line, `\<script`) {
			t.Errorf("a name became an element: %s", line)
		}
	}
}

// zeroCounts finds "0个" that is no part of a greater number.
var zeroCounts = regexp.MustCompile(`(^|[^0-9.])0[个件处]`)

func TestNothingIsSaidAsNone(t *testing.T) {
	for _, name := range []string{"small", "city", "october", "empty"} {
		model, names := load(t, name)
		for _, r := range []renderer{Markdown, media(Markdown)} {
			if found := zeroCounts.FindString(render(t, r, model, names)); found != "" {
				t.Errorf("%s says %q", name, found)
			}
		}
	}
}

func TestLongTablesBecomeAnnexes(t *testing.T) {
	model, names := load(t, "city")
	text := render(t, Markdown, model, names)
	main, annexes, _ := strings.Cut(text, "## 附件1")
	if len(model.Lagging) <= defaultRowsInText {
		t.Fatal("the example is too short")
	}
	for i, p := range model.Lagging {
		if named := strings.Contains(main, p.Name+"（"); i < namesInText && !named {
			t.Errorf("%s is not named in the main text", p.Name)
		}
		if !strings.Contains(annexes, "| "+p.ProjectID+" |") {
			t.Errorf("%s is in no annex", p.ProjectID)
		}
	}
}

func TestLeadersAreRankedOnlyWhenConfigured(t *testing.T) {
	model, names := load(t, "small")
	leaders := func(names Names) string {
		_, rest, found := strings.Cut(render(t, Markdown, model, names), "#### 市级领导\n")
		if !found {
			t.Fatal("no table of leaders")
		}
		table, _, _ := strings.Cut(rest, "\n## ")
		return table
	}
	if table := leaders(names); strings.Contains(table, "得分") || strings.Contains(table, "| 名次") {
		t.Errorf("ranked:\n%s", table)
	}
	names.RankLeads = true
	if table := leaders(names); !strings.Contains(table, "| 名次 | 领导 | 得分 |") {
		t.Errorf("not ranked:\n%s", table)
	}
}

func TestRestatementsAreSaidInWords(t *testing.T) {
	model, names := load(t, "city")
	text := render(t, Markdown, model, names)
	for _, want := range []string{"| 排名·县（市）区·修武县·得分 | 61.2 | 58.75 |", "| 排名·市直部门·市科技局·名次 | 2 | 3 |", "·亮灯 | 黄 | 红 |", "| - | 列入 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{money(schemas.MoneyFromWan(9999)), "9999万元"},
		{money(schemas.MoneyFromWan(10000)), "1.00亿元"},
		{money(schemas.MoneyFromWan(123450)), "12.35亿元"}, // half away from zero
		{money(0), "0万元"},
		{parts("个", part{"已完成", "", 3}, part{"进展顺利", "", 114}, part{"进展缓慢", "", 19}, part{"无进展", "", 4}).String(), "已完成3个、进展顺利114个、进展缓慢19个、无进展4个"}, // Jiaozuo, January to April 2013: 140 projects
		{parts("个", part{"按期", "", 3}, part{"逾期", "", 0}).String(), "按期3个（逾期：无）"},
		{parts("个", part{"甲", "", 0}, part{"乙", "", 0}).String(), "甲、乙：无"},
		{lateness(nil), "-"}, {months(schemas.NewMonth(2025, 1)), "1月"}, {months(schemas.NewMonth(2025, 10)), "1—10月"},
		{signed(&schemas.Figure{Units: 138, Decimals: 1}), "+13.8"}, {signed(nil), "-"}, {percent(nil), "-"},
		{chineseOrdinal(4), "四"}, {chineseOrdinal(10), "十"}, {chineseOrdinal(21), "二十一"}, {chineseOrdinal(11), "十一"}, {chineseOrdinal(20), "二十"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %s, want %s", tc.got, tc.want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestErrorsReachTheCaller(t *testing.T) {
	model, names := load(t, "small")
	for extension, r := range renderers() {
		if err := r(fullDisk{}, model, names); err == nil {
			t.Errorf("%s: no error from a full disk", extension)
		}
	}
	if err := Markdown(io.Discard, model, Names{}); schemas.CodeOf(err) != schemas.Internal {
		t.Errorf("without rules: %v", err)
	}
}
