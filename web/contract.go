package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"milepost/schemas"
)

// schemaInfo names a schema in the list of all.
type schemaInfo struct {
	Name string `json:"name"`
	// Kind is "event", "report", or "definitions" for what the events share.
	Kind  string `json:"kind"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// contract serves what a client is written against. It is made once: nothing of
// it depends on a request.
type contract struct {
	openAPI map[string][]byte // by extension
	schemas map[string][]byte // by name
	list    []byte
}

// NewContract serves the documents that clients are written against: GET
// /v1/openapi.yaml and .json, GET /v1/schemas with the names of all JSON
// Schemas, and GET /v1/schemas/{name} with one, with or without .json. The
// schemas refer to each other by these addresses.
func NewContract() (http.Handler, error) {
	c, err := readContract(schemas.Files())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/openapi.yaml", give("application/yaml", c.openAPI["yaml"]))
	mux.HandleFunc("GET /v1/openapi.json", give("application/json", c.openAPI["json"]))
	mux.HandleFunc("GET /v1/schemas", give("application/json", c.list))
	mux.HandleFunc("GET /v1/schemas/{name}", answer(c.schema))
	return mux, nil
}

func give(mediaType string, text []byte) http.HandlerFunc {
	return answer(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", mediaType)
		_, err := w.Write(text)
		return err
	})
}

func (c *contract) schema(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimSuffix(r.PathValue("name"), ".json")
	text, found := c.schemas[name]
	if !found {
		return &schemas.Error{Code: schemas.NotFound, Field: "name", Value: schemas.Shorten(name), Message: "no such schema", Hint: "GET /v1/schemas lists them"}
	}
	w.Header().Set("Content-Type", "application/schema+json")
	_, err := w.Write(text)
	return err
}

func readContract(files fs.FS) (*contract, error) {
	c := &contract{openAPI: map[string][]byte{}, schemas: map[string][]byte{}}
	var err error
	if c.openAPI["yaml"], err = fs.ReadFile(files, "openapi.yaml"); err != nil {
		return nil, err
	}
	if c.openAPI["json"], err = yaml.YAMLToJSON(c.openAPI["yaml"]); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	var list []schemaInfo
	for _, folder := range []string{"events", "reports"} {
		names, err := fs.Glob(files, folder+"/*.json")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			info, err := c.addSchema(files, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			list = append(list, info)
		}
	}
	slices.SortStableFunc(list, func(a, b schemaInfo) int { return strings.Compare(a.Kind, b.Kind) })
	c.list, err = json.Marshal(map[string]any{"schemas": list})
	return c, err
}

func (c *contract) addSchema(files fs.FS, file string) (schemaInfo, error) {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return schemaInfo{}, err
	}
	var about struct {
		ID    string `json:"$id"`
		Title string `json:"title"`
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return schemaInfo{}, err
	}
	info := schemaInfo{Name: strings.TrimSuffix(path.Base(file), ".json"), Kind: strings.TrimSuffix(path.Dir(file), "s"), Title: about.Title}
	if info.Name == "common" {
		info.Kind = "definitions"
	}
	info.URL = "/v1/schemas/" + info.Name
	// Served, a schema is where it was fetched from, and so are those that it
	// refers to.
	c.schemas[info.Name] = bytes.Replace(text, []byte(about.ID), []byte(path.Base(file)), 1)
	return info, nil
}
