package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/deploy/settings"
	"milepost/schemas"
)

func TestSecretsComeFromFilesAndVariables(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	held, empty := filepath.Join(dir, "held"), filepath.Join(dir, "empty")
	for name, text := range map[string]string{held: " https://example.cn/send?key=topsecret\n", empty: "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		file, variable, want string
		code                 schemas.Code
	}{{held, "", "https://example.cn/send?key=topsecret", ""}, {"", "", "", ""}, {empty, "", "", schemas.Invalid}, {filepath.Join(dir, "none"), "", "", schemas.Invalid}, {"", "MILEPOST_TEST_NO_SUCH_SECRET", "", schemas.Invalid}} {
		got, err := secretOf("url_file", c.file, c.variable)
		if got != c.want || schemas.CodeOf(err) != c.code {
			t.Errorf("%s%s: %q, %v", c.file, c.variable, got, err)
		}
	}
	// A dump of the configuration names where secrets are, and no more.
	config := settings.Config{Delivery: settings.DeliveryConfig{Targets: []settings.TargetConfig{{Name: "group", Type: settings.ToWeCom, URLFile: held}}}}
	if err := config.WithDefaults().Check(); err != nil {
		t.Fatal(err)
	}
	dump, err := json.Marshal(config)
	if err != nil || strings.Contains(string(dump), "topsecret") || !strings.Contains(string(dump), held) {
		t.Errorf("the dump: %s, %v", dump, err)
	}
	sender, err := (&App{}).sender(&config.Delivery.Targets[0])
	if err != nil || sender == nil {
		t.Error(err)
	}
}

// TestKeyFiguresOfABulletin reads a model as it is frozen.
func TestKeyFiguresOfABulletin(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../testdata/golden/city/*bulletin*2025-10*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no model: %v", err)
	}
	model, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	number := 10
	content, err := keyFigures(&schemas.EditionStatus{ID: "bulletin-2025-10", Kind: "month", Period: "2025-10", Number: &number}, model)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %+v", content.Title, content.Figures)
	if !strings.HasSuffix(content.Title, "第10期") || len(content.Figures) != 6 || !strings.HasSuffix(content.Figures[3].Value, "%") {
		t.Errorf("%+v", content)
	}
	if _, err := keyFigures(&schemas.EditionStatus{ID: "x", Kind: "month", Number: &number}, []byte("{")); err == nil {
		t.Error("half a model reads")
	}
}
