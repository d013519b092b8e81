package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// static are the files of the pages. A name carries its content's hash, so that
// browsers keep them for good.
type static struct {
	byName map[string][]byte // by the name in the address
	names  map[string]string // the name in the address by that of the file
}

const scriptName = "htmx.js"

func readStatic() (*static, error) {
	s := &static{byName: map[string][]byte{}, names: map[string]string{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		text, err := staticFiles.ReadFile("static/" + entry.Name())
		if err != nil {
			return nil, err
		}
		name := hashed(entry.Name(), text)
		s.byName[name], s.names[entry.Name()] = text, name
	}
	return s, nil
}

func hashed(name string, text []byte) string {
	sum := sha256.Sum256(text)
	extension := path.Ext(name)
	return strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension
}

// address gives the address of a file, empty while it is not there.
func (p *Pages) address(file string) string {
	if file == scriptName {
		if p.Script == nil {
			return ""
		}
		text := p.Script()
		if text == nil {
			return ""
		}
		return "/assets/" + hashed(scriptName, text)
	}
	return "/assets/" + p.static.names[file]
}

func (p *Pages) asset(w http.ResponseWriter, r *http.Request) {
	secure(w)
	name := r.PathValue("name")
	text := p.static.byName[name]
	if text == nil && strings.HasPrefix(name, "htmx.") && "/assets/"+name == p.address(scriptName) {
		text = p.Script()
	}
	if text == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", mediaTypes[path.Ext(name)])
	send(w, http.StatusOK, text, false)
}

var mediaTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
