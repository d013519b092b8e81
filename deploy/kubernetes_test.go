package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
	TCPSocket struct {
		Port string `yaml:"port"`
	} `yaml:"tcpSocket"`
}

type container struct {
	Image string   `yaml:"image"`
	Args  []string `yaml:"args"`
	Ports []struct {
		Name          string `yaml:"name"`
		ContainerPort int    `yaml:"containerPort"`
	} `yaml:"ports"`
	EnvFrom []struct {
		ConfigMapRef struct {
			Name string `yaml:"name"`
		} `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env []struct {
		Name      string `yaml:"name"`
		Value     string `yaml:"value"`
		ValueFrom struct {
			SecretKeyRef struct {
				Key string `yaml:"key"`
			} `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	} `yaml:"env"`
	StartupProbe   probe `yaml:"startupProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
}

// manifest is what the test reads of the objects.
type manifest struct {
	Kind     string `yaml:"kind"`
	Metadata struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Replicas    int    `yaml:"replicas"`
		ServiceName string `yaml:"serviceName"`
		Selector    any    `yaml:"selector"`
		Ports       []struct {
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
		Template struct {
			Metadata struct {
				Labels map[string]string `yaml:"labels"`
			} `yaml:"metadata"`
			Spec struct {
				Containers []container `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// app gives the label by which an object chooses its pods.
func (m manifest) app() string {
	selector, _ := m.Spec.Selector.(map[string]any)
	if inner, ok := selector["matchLabels"].(map[string]any); ok {
		selector = inner
	}
	name, _ := selector["app"].(string)
	return name
}

// TestKubernetes reads what kustomize joins: names, ports, probes and options must agree.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	top := readYAML[struct {
		Resources          []string `yaml:"resources"`
		ConfigMapGenerator []struct {
			Name     string   `yaml:"name"`
			Files    []string `yaml:"files"`
			Literals []string `yaml:"literals"`
		} `yaml:"configMapGenerator"`
		Images []struct {
			Name    string `yaml:"name"`
			NewName string `yaml:"newName"`
			NewTag  string `yaml:"newTag"`
		} `yaml:"images"`
	}](t, "kubernetes/kustomization.yaml")[0]
	literals := map[string]map[string]string{}
	for _, g := range top.ConfigMapGenerator {
		literals[g.Name] = map[string]string{}
		for _, file := range g.Files {
			if _, after, renamed := strings.Cut(file, "="); renamed {
				file = after
			}
			if _, err := os.Stat(filepath.Join("kubernetes", file)); err != nil {
				t.Error(err)
			}
		}
		for _, literal := range g.Literals {
			key, value, _ := strings.Cut(literal, "=")
			literals[g.Name][key] = value
		}
	}
	pods, services, kept := map[string]manifest{}, map[string]manifest{}, map[string]bool{}
	var all []manifest
	for _, file := range top.Resources {
		all = append(all, readYAML[manifest](t, filepath.Join("kubernetes", file))...)
	}
	for _, m := range all {
		switch m.Kind {
		case "Deployment", "StatefulSet":
			pods[m.Metadata.Name] = m
			if m.app() != m.Metadata.Name || m.Spec.Template.Metadata.Labels["app"] != m.app() || m.Spec.Replicas < 2 {
				t.Errorf("%s: chooses %q, %d replicas", m.Metadata.Name, m.app(), m.Spec.Replicas)
			}
		case "Service":
			services[m.Metadata.Name] = m
		case "PodDisruptionBudget":
			kept[m.app()] = true
		}
	}
	operator, err := os.ReadFile("../docs/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	var played []string
	for name, m := range pods {
		if !kept[name] {
			t.Errorf("%s has no disruption budget", name)
		}
		if m.Kind == "StatefulSet" && services[m.Spec.ServiceName].app() != name {
			t.Errorf("%s: no service %s of its own", name, m.Spec.ServiceName)
		}
		for _, c := range m.Spec.Template.Spec.Containers {
			named := func(port string) bool {
				return slices.ContainsFunc(c.Ports, func(p struct {
					Name          string `yaml:"name"`
					ContainerPort int    `yaml:"containerPort"`
				}) bool {
					return p.Name == port
				})
			}
			for _, p := range []probe{c.ReadinessProbe, c.LivenessProbe} {
				if !named(p.HTTPGet.Port + p.TCPSocket.Port) {
					t.Errorf("%s: a probe asks the port %q", name, p.HTTPGet.Port+p.TCPSocket.Port)
				}
			}
			for _, e := range c.Env {
				if key := e.ValueFrom.SecretKeyRef.Key; key != "" && !strings.Contains(string(operator), key) {
					t.Errorf("%s: docs/operator.md does not say how to make the secret's %s", name, key)
				}
			}
			if c.Image != "milepost" {
				wantPinned(t, name, c.Image)
				continue
			}
			for _, p := range []probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				wantSupervised(t, name, p.HTTPGet.Path)
			}
			environment := map[string]string{}
			for _, from := range c.EnvFrom {
				for key, value := range literals[from.ConfigMapRef.Name] {
					environment[key] = value
				}
			}
			for _, e := range c.Env {
				environment[e.Name] = strings.NewReplacer("$(NATS_PASSWORD)", "geheim", "$(CLICKHOUSE_PASSWORD)", "geheim").Replace(e.Value)
			}
			if len(c.Args) != 3 || c.Args[0] != "serve" || c.Args[1] != "--target" {
				t.Fatalf("%s: %v", name, c.Args)
			}
			environment["MILEPOST_TARGET"] = c.Args[2]
			config := wantConfiguration(t, name, environment)
			played = append(played, config.Target...)
			for _, p := range c.Ports {
				if p.Name == "http" && !strings.HasSuffix(config.Listen, ":8080") || p.ContainerPort != 8080 {
					t.Errorf("%s: listens on %s, the port is %d", name, config.Listen, p.ContainerPort)
				}
			}
		}
	}
	wantRoles(t, played)
	for name, s := range services {
		target, known := pods[s.app()]
		if !known {
			t.Errorf("the service %s chooses nobody", name)
			continue
		}
		for _, port := range s.Spec.Ports {
			found := false
			for _, c := range target.Spec.Template.Spec.Containers {
				for _, p := range c.Ports {
					found = found || p.Name == port.TargetPort && p.ContainerPort == port.Port
				}
			}
			if !found {
				t.Errorf("the service %s leads to no port %s (%d)", name, port.TargetPort, port.Port)
			}
		}
	}
	for _, file := range []string{"cluster.xml", "users.xml", "keeper.xml"} {
		for _, host := range xmlHosts(t, filepath.Join("kubernetes", file)) {
			pod, service, _ := strings.Cut(host, ".")
			set := pod[:max(0, strings.LastIndexByte(pod, '-'))]
			if pods[set].Spec.ServiceName != service {
				t.Errorf("%s: no pod answers to %s", file, host)
			}
		}
	}
	if len(top.Images) != 1 {
		t.Fatalf("%d images", len(top.Images))
	}
	wantPinned(t, "kustomization.yaml", top.Images[0].NewName+":"+top.Images[0].NewTag)
	if len(pods) < 7 || len(services) < 8 {
		t.Errorf("%d workloads, %d services", len(pods), len(services))
	}
}
