package settings

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"milepost/deploy/embedded/clickhouse"
	"milepost/schemas"
)

// maxPasswordBytes bounds the file of a password.
const maxPasswordBytes = 1024

// AnalystPassword gives what readers of the embedded ClickHouse need, "" for
// nothing.
func (c Config) AnalystPassword() (string, error) {
	if c.ClickHousePasswordFile == "" {
		return c.ClickHousePassword, nil
	}
	wrong := &schemas.Error{Code: schemas.Invalid, Field: "clickhouse_password_file", Value: c.ClickHousePasswordFile, Hint: "write the password of analysts into it, on one line"}
	text, err := os.ReadFile(c.ClickHousePasswordFile)
	password := strings.TrimRight(string(text), "\r\n")
	switch {
	case err != nil:
		wrong.Message, wrong.Err = "cannot read the file of the password", err
	case password == "":
		wrong.Message = "the file of the password is empty"
	case len(password) > maxPasswordBytes || strings.ContainsAny(password, "\r\n"):
		wrong.Message = "the file holds more than a password"
	default:
		return password, nil
	}
	return "", wrong
}

// clusterName is what stands unharmed in a statement.
var clusterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// maxNATSReplicas is what JetStream allows.
const maxNATSReplicas = 5

// checkEngines lists what is wrong with how the embedded engines are reached.
func (c Config) checkEngines() []error {
	var wrong []error
	add := func(field, value, message, hint string) {
		wrong = append(wrong, &schemas.Error{Code: schemas.Invalid, Field: field, Value: value, Message: message, Hint: hint})
	}
	if c.NATSCreds != "" && c.NATS == "" {
		add("nats_creds", c.NATSCreds, "credentials for no server", "name the servers by --nats; the embedded one needs none here")
	}
	switch n := c.NATSReplicas; {
	case n < 0 || n > maxNATSReplicas:
		add("nats_replicas", strconv.Itoa(n), "out of range", "JetStream keeps a stream on 1 to 5 servers; three are usual")
	case n > 1 && c.NATS == "":
		add("nats_replicas", strconv.Itoa(n), "the embedded NATS is one server", "name the servers of a cluster by --nats, or leave it out")
	}
	switch {
	case c.ClickHouseCluster == "" && c.ClickHouseSharded:
		add("clickhouse_sharded", "true", "shards of no cluster", "name the cluster by clickhouse_cluster, or leave it out")
	case c.ClickHouseCluster == "":
	case c.ClickHouse == "":
		add("clickhouse_cluster", c.ClickHouseCluster, "the embedded ClickHouse is one server", "name a server of the cluster by --clickhouse, or leave it out")
	case !clusterName.MatchString(c.ClickHouseCluster):
		add("clickhouse_cluster", c.ClickHouseCluster, "not the name of a cluster", "write a name of remote_servers in ClickHouse's configuration: letters, digits, - and _")
	}
	if !c.Has(TargetEngines) {
		return wrong
	}
	if c.NATS == "" && c.NATSListen == "" && !slices.ContainsFunc(c.Target, func(t string) bool { return t != TargetEngines }) {
		add("nats_listen", "", "engines alone serve NATS to other processes, and nobody said where", "name an address, such as --nats-listen 127.0.0.1:4222")
	}
	if c.ClickHouse == "" && c.ClickHousePasswordFile == "" && c.ClickHousePassword == "" && !clickhouse.OnlyThisMachine(c.ClickHouseListen) {
		add("clickhouse_listen", c.ClickHouseListen, "other machines could read everything without a password", "name one by --clickhouse-password-file, or listen on 127.0.0.1")
	}
	return wrong
}
