package schemas

import (
	"embed"
	"io/fs"
)

//go:embed events/*.json events/examples/*.json reports/*.json asyncapi.yaml openapi.yaml
var files embed.FS

// Files gives the schemas as they are published: events/TYPE.json and
// events/common.json, events/examples, reports, asyncapi.yaml and openapi.yaml.
func Files() fs.FS { return files }
