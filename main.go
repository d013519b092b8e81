// Milepost follows a city's major projects: events in, ledger, bulletins and
// the year-end assessment out.
package main

import (
	"os"

	"milepost/deploy"
)

func main() {
	os.Exit(deploy.Main(os.Args[1:]))
}
