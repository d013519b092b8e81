package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"

	"milepost/deploy/settings"
)

// serveCommand runs the server. Its flags are also environment variables and
// keys of the configuration file; the flag wins, then the variable.
type serveCommand struct {
	Data                   string   `help:"Data folder of the embedded engines and the published files (milepost-data)." env:"MILEPOST_DATA" type:"path"`
	Listen                 string   `help:"Address of the HTTP interface (127.0.0.1:8080)." env:"MILEPOST_LISTEN"`
	ClickHouseListen       string   `help:"Address of the embedded ClickHouse HTTP interface (127.0.0.1:8123)." name:"clickhouse-listen" env:"MILEPOST_CLICKHOUSE_LISTEN"`
	NATSListen             string   `help:"Address of the embedded NATS for other processes and clients with credentials (none)." name:"nats-listen" env:"MILEPOST_NATS_LISTEN"`
	NATS                   string   `help:"NATS servers to use instead of the embedded one." name:"nats" env:"MILEPOST_NATS"`
	NATSCreds              string   `help:"Credentials file for those servers." name:"nats-creds" env:"MILEPOST_NATS_CREDS" type:"path"`
	ClickHouse             string   `help:"ClickHouse to use instead of the embedded one: http://user:password@host:8123/database." name:"clickhouse" env:"MILEPOST_CLICKHOUSE"`
	ClickHousePasswordFile string   `help:"File with the password of analysts (user analyst) on the embedded ClickHouse HTTP interface; also MILEPOST_CLICKHOUSE_PASSWORD." name:"clickhouse-password-file" env:"MILEPOST_CLICKHOUSE_PASSWORD_FILE" type:"path"`
	Target                 []string `help:"Roles of this process: engines, producers, consumers, scheduler, web (all)." env:"MILEPOST_TARGET"`
	LogLevel               string   `help:"debug, info, warn or error (info)." env:"MILEPOST_LOG_LEVEL"`
	Durability             string   `help:"power: an acknowledged event survives a power cut; process: the end of the process (power)." env:"MILEPOST_DURABILITY"`
	accessFlags
	Set    []string `help:"Any option of the file by its key, such as bulletins.weekly=off; see milepost config options. May be given again." placeholder:"KEY=VALUE" sep:"none"`
	Config string   `help:"Configuration file (YAML)." env:"MILEPOST_CONFIG" type:"path"`
}

// configuration joins flags and environment with the file.
func (c *serveCommand) configuration() (settings.Config, error) {
	file, err := settings.Load(c.Config)
	if err != nil {
		return settings.Config{}, err
	}
	if err := file.Overlay(os.LookupEnv, c.Set, options()); err != nil {
		return settings.Config{}, err
	}
	given := settings.Config{
		Data: c.Data, Listen: c.Listen, ClickHouseListen: c.ClickHouseListen, NATSListen: c.NATSListen, NATS: c.NATS, NATSCreds: c.NATSCreds,
		ClickHousePasswordFile: c.ClickHousePasswordFile, ClickHousePassword: os.Getenv("MILEPOST_CLICKHOUSE_PASSWORD"),
		ClickHouse: c.ClickHouse, AccessConfig: c.accessFlags.config(), Target: c.Target, LogLevel: c.LogLevel, Durability: c.Durability,
	}
	return given.Or(file), nil
}

// Run serves until SIGINT or SIGTERM.
func (c *serveCommand) Run(env *environment) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	app, err := StartApp(env.ctx, config, env.streams, env.now)
	if err != nil {
		return stoppedWhileStarting(env.ctx, err)
	}
	fmt.Fprintln(env.streams.Out, "ready", app.Address())
	return errors.Join(app.Wait(env.ctx), app.Close())
}

// stoppedWhileStarting takes a signal during the start for what it is.
func stoppedWhileStarting(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
