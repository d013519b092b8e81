package deploy

import (
	"slices"
	"testing"

	"milepost/deploy/settings"
)

// TestFlagsOfServeAreOptions sees that what has a flag of its own is an option under the same name.
func TestFlagsOfServeAreOptions(t *testing.T) {
	t.Parallel()
	all := options()
	for key, flag := range ownFlags() {
		i := slices.IndexFunc(all, func(o settings.Option) bool { return o.Key == key })
		// The variable of a password is read without a key in the file.
		if i < 0 && key != "clickhouse_password" || i >= 0 && all[i].Flag != "--"+flag {
			t.Errorf("--%s is no option", flag)
		}
	}
	i := slices.IndexFunc(all, func(o settings.Option) bool { return o.Key == "bulletins.weekly" })
	if i < 0 || all[i].Flag != "--set bulletins.weekly=" {
		t.Error("what has no flag of its own is set by --set")
	}
}
