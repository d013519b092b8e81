package deploy

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"milepost/deploy/settings"
)

// readYAML gives the documents of a file.
func readYAML[T any](t *testing.T, path string) (documents []T) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // only read
	decoder := yaml.NewDecoder(file)
	for {
		var one T
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		documents = append(documents, one)
	}
}

// wantPinned tells of an image whose version is left open.
func wantPinned(t *testing.T, where, image string) {
	t.Helper()
	if !regexp.MustCompile(`^[a-z0-9./-]+:v?[0-9][0-9A-Za-z.-]*$`).MatchString(image) {
		t.Errorf("%s: the image %q names no version", where, image)
	}
}

// wantConfiguration lets a server read the environment as it would be given.
func wantConfiguration(t *testing.T, where string, environment map[string]string) settings.Config {
	t.Helper()
	var c settings.Config
	for name, value := range environment {
		i := slices.IndexFunc(options(), func(o settings.Option) bool { return o.Environment == name })
		switch {
		case name == "MILEPOST_TARGET":
			c.Target = strings.Split(value, ",")
		case i >= 0:
			if err := c.Overlay(func(string) (string, bool) { return "", false }, []string{options()[i].Key + "=" + value}, options()); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		case strings.HasPrefix(name, "MILEPOST_"):
			t.Errorf("%s: no option is called %s", where, name)
		}
	}
	if err := c.WithDefaults().Check(); err != nil {
		t.Errorf("%s: %v", where, err)
	}
	if c.NATSReplicas != 3 || c.ClickHouseCluster != "milepost" || len(c.Target) == 0 || slices.Contains(c.Target, settings.TargetEngines) {
		t.Errorf("%s: %d replicas, cluster %q, roles %v", where, c.NATSReplicas, c.ClickHouseCluster, c.Target)
	}
	return c
}

// wantRoles tells which role nobody plays.
func wantRoles(t *testing.T, played []string) {
	t.Helper()
	for _, role := range settings.Targets() {
		if role != settings.TargetEngines && !slices.Contains(played, role) {
			t.Errorf("nobody plays the role %s", role)
		}
	}
}

// xmlHosts gives the hosts that a configuration of ClickHouse names.
func xmlHosts(t *testing.T, path string) (hosts []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	element, decoder := "", xml.NewDecoder(strings.NewReader(string(text)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return hosts
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			element = token.Name.Local
		case xml.EndElement:
			element = ""
		case xml.CharData:
			if element == "host" || element == "hostname" {
				hosts = append(hosts, string(token))
			}
		}
	}
}

// TestCompose reads the composition as Compose would, as far as that takes no daemon.
func TestCompose(t *testing.T) {
	t.Parallel()
	type service struct {
		Image       string            `yaml:"image"`
		Environment map[string]string `yaml:"environment"`
		Volumes     []string          `yaml:"volumes"`
		Secrets     []string          `yaml:"secrets"`
		DependsOn   any               `yaml:"depends_on"`
		Healthcheck struct{ Test []string }
		Networks    map[string]struct{ Aliases []string }
	}
	composition := readYAML[struct {
		Services map[string]service           `yaml:"services"`
		Secrets  map[string]map[string]string `yaml:"secrets"`
		Volumes  map[string]any               `yaml:"volumes"`
	}](t, "compose/compose.yaml")[0]
	example, err := os.ReadFile("compose/example.env")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$\{([A-Z_]+):\?\}`)
	hosts, played := map[string]bool{}, []string{}
	for name, s := range composition.Services {
		hosts[name] = true
		for _, alias := range s.Networks["default"].Aliases {
			hosts[alias] = true
		}
		wantPinned(t, name, s.Image)
		for _, secret := range s.Secrets {
			if composition.Secrets[secret]["file"] == "" {
				t.Errorf("%s: no secret %s", name, secret)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if _, err := os.Stat(filepath.Join("compose", from)); strings.HasPrefix(from, ".") && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, named := composition.Volumes[from]; !strings.HasPrefix(from, ".") && !named {
				t.Errorf("%s: no volume %s", name, from)
			}
		}
		filled := map[string]string{}
		for key, value := range s.Environment {
			for _, m := range variable.FindAllStringSubmatch(value, -1) {
				if !strings.Contains(string(example), "\n"+m[1]+"=") {
					t.Errorf("%s: example.env lacks %s", name, m[1])
				}
			}
			filled[key] = variable.ReplaceAllString(value, "geheim")
		}
		if strings.HasPrefix(s.Image, "milepost:") {
			c := wantConfiguration(t, name, filled)
			played = append(played, c.Target...)
			wantSupervised(t, name, strings.Join(s.Healthcheck.Test, " "))
		}
	}
	wantRoles(t, played)
	for _, file := range []string{"cluster.xml", "users.xml", "keeper.xml"} {
		for _, host := range xmlHosts(t, filepath.Join("compose/clickhouse", file)) {
			if !hosts[host] {
				t.Errorf("%s: no service %s", file, host)
			}
		}
	}
	if len(composition.Services) < 14 {
		t.Errorf("only %d services", len(composition.Services))
	}
}

// wantSupervised finds the path that is asked among those that a server answers.
func wantSupervised(t *testing.T, where, asked string) {
	t.Helper()
	m := regexp.MustCompile(`(/[a-z]+)$`).FindString(asked)
	mux := http.NewServeMux()
	new(App).healthRoutes(mux)
	request, err := http.NewRequest("GET", "http://milepost"+m, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, pattern := mux.Handler(request); pattern == "" {
		t.Errorf("%s: a server does not answer %q", where, asked)
	}
}
