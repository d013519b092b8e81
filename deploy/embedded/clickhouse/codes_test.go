package clickhouse

import (
	"os"
	"path/filepath"
	"testing"
)

// CodeNames are our names of error codes, for the tests that ask the engine for its own.
func CodeNames() map[int]string { return codeNames }

func TestStartNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"no folder":        {},
		"no library":       {Dir: t.TempDir()},
		"absent library":   {Dir: t.TempDir(), Library: "/nowhere/libchdb.so"},
		"no library file":  {Dir: t.TempDir(), Library: file},
		"folder is a file": {Dir: file, Library: file},
		"bad address":      {Dir: t.TempDir(), Library: file, Listen: "nowhere"},
		"reader's name":    {Dir: t.TempDir(), Library: file, WriterUser: "default"},
		"too many":         {Dir: t.TempDir(), Library: file, WriterConnections: 100000},
	} {
		if s, err := Start(t.Context(), c); err == nil {
			t.Errorf("%s: started at %s", name, s.Addr())
		}
	}
}
