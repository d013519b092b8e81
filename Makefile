# Milepost: two commands do everything on a Debian machine with Go, npm and make.
#   make run    build, start the demonstration, go on serving
#   make test   everything that must pass

export CGO_ENABLED ?= 0
GOFLAGS_TEST ?= -timeout 15m

.PHONY: run build engine dist licences test soak bench bench-scale vet race lint check-deploy vulncheck clean

build:
	go build -trimpath -o milepost .

run: build
	./milepost demo

# The ClickHouse engine, fetched once into the user's cache.
engine: build
	./milepost engine

# What is handed out: a tarball and a Debian package with everything in them, and their hashes, in dist/.
dist: engine
	go run ./deploy/package -deb

# The licence of every dependency of the binary.
licences:
	@go run ./deploy/package -licences

vet:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...

test: vet engine
	go test $(GOFLAGS_TEST) ./...

# The fault tests and the simulated months in their long form: 20 kills, 200,000 events, and more; five minutes of memory.
soak: engine
	MILEPOST_SOAK=1 go test -count=1 -v -timeout 90m ./deploy/faults ./deploy/simulation
	go run ./bench/cmd/pipeline -memory 5m

# The speed of the pipeline on this machine, with a plain loop as control.
bench: engine
	go run ./bench/cmd/pipeline

# How reading grows with the projects and with the length of their history: about ten minutes on two idle cores.
# Smaller or larger: make bench-scale PROVINCES=1000x10,1000000x10
PROVINCES ?= 1000x10,10000x10,100000x10,10000x1x360,10000x10x360
bench-scale: engine
	go run ./bench/cmd/scale -provinces $(PROVINCES)

# The race detector needs cgo and gcc; the engine passes it.
race: engine
	CGO_ENABLED=1 go test -race $(GOFLAGS_TEST) ./...

# The linters of .golangci.yml; the first time go builds golangci-lint, which takes minutes.
lint:
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

# What the tools of the trade say of the files in deploy: kubectl, promtool (Debian's package prometheus) and docker compose,
# each where it is installed. The tests read the same files without any of them.
check-deploy:
	@if command -v kubectl >/dev/null; then kubectl kustomize deploy/kubernetes >/dev/null && echo "kustomize: good"; else echo "no kubectl"; fi
	@if command -v promtool >/dev/null; then promtool check rules deploy/prometheus/alerts.yml && promtool check config --syntax-only deploy/compose/prometheus/prometheus.yml; else echo "no promtool"; fi
	@if docker compose version >/dev/null 2>&1; then sed 's/=$$/=x/' deploy/compose/example.env | docker compose -f deploy/compose/compose.yaml --env-file /dev/stdin config -q && echo "compose: good"; else echo "no docker compose"; fi

# Known vulnerabilities; the database is on the internet.
vulncheck:
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

clean:
	rm -rf milepost milepost-data dist
