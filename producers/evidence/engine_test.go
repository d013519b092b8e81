package evidence

import (
	"os"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
