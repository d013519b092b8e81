package deploy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// route is a pattern of http.ServeMux in the source.
var route = regexp.MustCompile(`^(?:([A-Z]+) )?(/v1/[^?\s]+|/healthz|/readyz)$`)

// registeredRoutes reads the patterns that the code gives to a mux, with the
// place of each.
func registeredRoutes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, folder := range []string{".", "../web", "../producers"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 2 {
					return true
				}
				selector, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || selector.Sel.Name != "Handle" && selector.Sel.Name != "HandleFunc" {
					return true
				}
				if literal, ok := call.Args[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					pattern, err := strconv.Unquote(literal.Value)
					if err == nil && route.MatchString(pattern) {
						found[pattern] = set.Position(literal.Pos()).String()
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestEveryRouteIsDocumented holds the routes in the source against the
// document, and asks a server for what is not documented.
func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	server := serve(t)
	a := readOpenAPI(t, server)
	documented := map[string][]string{}
	a.operations(func(path, method string, _ place) { documented[path] = append(documented[path], method) })

	routes := registeredRoutes(t)
	if len(routes) < 15 {
		t.Fatalf("only %d routes were found in the source: %v", len(routes), routes)
	}
	for pattern, at := range routes {
		method, path, _ := strings.Cut(pattern, " ")
		if path == "" {
			method, path = "", method
		}
		switch methods := documented[path]; {
		case strings.HasSuffix(path, "/"): // its own mux names the routes below
		case methods == nil:
			t.Errorf("%s: %s is not documented", at, pattern)
		case method != "" && !slices.Contains(methods, method):
			t.Errorf("%s: %s is documented with %v only", at, pattern, methods)
		}
	}
	for path, methodsOf := range documented {
		asked := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1")
		for _, method := range methods {
			if slices.Contains(methodsOf, method) {
				continue
			}
			request, err := http.NewRequest(method, server.HTTP+asked, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusMethodNotAllowed && response.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s is not documented and answered with %s", method, path, response.Status)
			}
		}
	}
}
