package settings

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const wrongConfig = `listen: here
log_levle: info
durability: often
bulletins:
  since: yesterday
  formats: [html, papyrus]
  announcement_days: five
report_day: 40
districts:
  - {code: xiuwu, name: 修武县, group: nowhere}
  - {code: XIUWU, name: 修武县, groupe: county}
rule_sets:
  - from: 2026-01-01
    yellow_lag: many
year_rules:
  soon: 2025-12-31
documents: simple
tls_cert: /nowhere/cert.pem
tls_key: /nowhere/key.pem
`

func TestEveryMistakeIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	report := CheckText([]byte(wrongConfig))
	var told strings.Builder
	for _, f := range report.Findings {
		fmt.Fprintf(&told, "%d %v\n", f.Line, f.Error)
	}
	for _, want := range []string{
		`^1 listen: not an address`, `^2 log_levle: no such key; perhaps log_level`, `^3 durability: no such durability`, `^5 bulletins.since: not a date`,
		`^6 bulletins.formats.*papyrus`, `^7 bulletins.announcement_days: does not read`, `^8 report_day: out of range`, `^10 districts\[0\].group: no such group`,
		`^11 districts\[1\].code: not a district code`, `^11 districts\[1\].groupe: no such key; perhaps group`, `^14 rule_sets\[0\].yellow_lag: does not read`,
		`^16 year_rules.soon: not a number`, `^17 documents: `, `^18 tls_cert: `,
	} {
		if !regexp.MustCompile(`(?m)` + want).MatchString(told.String()) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("told:\n%s", &told)
	}
}

func TestABrokenFileIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	for text, line := range map[string]int{"listen: [1, 2\n": 1, "listen: a:1\nlisten: b:1\n": 2, "a: b: c\n": 1, strings.Repeat("#", MaxBytes+1): 0} {
		report := CheckText([]byte(text))
		if len(report.Findings) == 0 || report.Findings[0].Line != line {
			t.Errorf("%.40q: %+v", text, report.Findings)
		}
	}
	for _, text := range []string{"", "# nothing\n", "listen: 127.0.0.1:0\n"} {
		if report := CheckText([]byte(text)); len(report.Findings) > 0 {
			t.Errorf("%q: %v", text, report.Findings[0].Error)
		}
	}
}

// sample is the commented sample with its keys uncommented.
func sample(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "examples", "milepost.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^# ( *(?:- )?(?:\{|[\p{L}0-9_]+:(?: |$)))`)
	var lines [][]byte
	for _, line := range bytes.Split(text, []byte("\n")) {
		if key.Match(line) {
			lines = append(lines, line[2:])
		} else {
			lines = append(lines, nil)
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// TestTheSampleHasEveryOption compares the sample with what a server can be told, in both directions.
func TestTheSampleHasEveryOption(t *testing.T) {
	t.Parallel()
	report := CheckText(sample(t))
	for _, f := range report.Findings {
		if strings.Contains(f.Message, "no such key") || strings.Contains(f.Message, "does not read") {
			t.Errorf("line %d of the sample: %v", f.Line, f.Error)
		}
	}
	for _, o := range Options(nil) {
		if _, there := report.places[o.Key]; !there {
			t.Errorf("the sample lacks %s", o.Key)
		}
	}
}

// TestEveryOptionInThreeWays sets each option by its variable and by --set.
func TestEveryOptionInThreeWays(t *testing.T) {
	t.Parallel()
	options := Options(nil)
	if len(options) < 60 {
		t.Fatalf("only %d options", len(options))
	}
	values := map[string]string{"text": "x", "number": "3", "true or false": "true", "list": "[]", "map": "{}", "duration": "90s"}
	for _, o := range options {
		value, known := values[o.Value]
		if !known {
			t.Fatalf("%s takes %q", o.Key, o.Value)
		}
		var bySet, byVariable Config
		if err := bySet.Overlay(func(string) (string, bool) { return "", false }, []string{o.Key + "=" + value}, options); err != nil {
			t.Errorf("--set %s: %v", o.Key, err)
		}
		if err := byVariable.Overlay(func(name string) (string, bool) { return value, name == o.Environment }, nil, options); err != nil {
			t.Errorf("%s: %v", o.Environment, err)
		}
		if fmt.Sprintf("%+v", byVariable) == fmt.Sprintf("%+v", Config{}) && value != "[]" && value != "{}" {
			t.Errorf("%s changed nothing", o.Environment)
		}
	}
}

func TestWrongOverlaysAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	var c Config
	err := c.Overlay(func(name string) (string, bool) { return "many", name == "MILEPOST_REPORT_DAY" }, []string{"bulletin.weekly=off", "listen", "yellow_lag=some", "bulletins.weekly=0 9 * * 1"}, Options(nil))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"MILEPOST_REPORT_DAY: the value does not read", "no such option", "perhaps bulletins.weekly", "not an assignment", "--set yellow_lag: the value does not read"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s in\n%v", want, err)
		}
	}
	if c.Bulletins.Weekly != "0 9 * * 1" {
		t.Errorf("weekly: %q", c.Bulletins.Weekly)
	}
}
