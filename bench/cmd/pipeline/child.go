package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A child is this program once more, in another role. It reads its task as the
// first line of its input and writes a line when it is ready. An engine then
// serves until its input ends, so that it cannot outlive the parent; a
// process that is measured waits for another line and answers with its result.

// roleVariable in the environment tells a process that it is a child.
const roleVariable = "MILEPOST_BENCH_ROLE"

// The roles.
const (
	roleNATS       = "nats"
	roleClickHouse = "clickhouse"
	rolePublish    = "publish"
	roleConsume    = "consume"
	roleServe      = "serve"
	rolePlain      = "plain"
)

// task is what a child is to do.
type task struct {
	Role   string
	Folder string
	Sync   bool // NATS writes to the disk before it acknowledges

	Events     int
	NATS       string // URL
	ClickHouse string // DSN
	Profile    string // file; empty: none
	// The engines' processes, whose processor time is told apart.
	NATSProcess, ClickHouseProcess int
	Rate                           int  // events a second; 0: as fast as it goes
	Watch                          bool // the memory of the process
}

// ready is a child's first line: it can begin, or an engine serves at Address.
type ready struct {
	Address string
	Error   string
}

// child is the parent's end of one.
type child struct {
	task    task
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	address string
	stopped bool
}

// stopPatience is how long a child may take to end.
const stopPatience = 60 * time.Second

func start(ctx context.Context, t task) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), roleVariable+"="+t.Role)
	command.Stderr = os.Stderr
	command.WaitDelay = stopPatience
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	// The end of the input ends a child well; its process is killed only when
	// it does not listen.
	command.Cancel = input.Close
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	c := &child{task: t, command: command, input: input, output: bufio.NewReader(output)}
	if err := json.NewEncoder(input).Encode(t); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *child) pid() int { return c.command.Process.Pid }

func (c *child) read(into any) error {
	text, err := c.output.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: the process ended early: %w", c.task.Role, err)
	}
	return json.Unmarshal(text, into)
}

func (c *child) awaitReady() error {
	var r ready
	if err := c.read(&r); err != nil {
		return err
	}
	if r.Error != "" {
		return fmt.Errorf("%s: %s", c.task.Role, r.Error)
	}
	c.address = r.Address
	return nil
}

// begin lets a measured process begin.
func (c *child) begin() error {
	_, err := io.WriteString(c.input, "begin\n")
	return err
}

// result waits for what a measured process found, and for its end.
func (c *child) result() (result, error) {
	var r result
	if err := c.read(&r); err != nil {
		return r, err
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", c.task.Role, r.Error)
	}
	return r, c.stop()
}

func (c *child) finish() (result, error) {
	if err := c.begin(); err != nil {
		return result{}, err
	}
	return c.result()
}

func (c *child) stop() error {
	if c.stopped {
		return nil
	}
	c.stopped = true
	_ = c.input.Close() // it may have ended
	kill := time.AfterFunc(stopPatience, func() { _ = c.command.Process.Kill() })
	defer kill.Stop()
	if err := c.command.Wait(); err != nil {
		return fmt.Errorf("%s: %w", c.task.Role, err)
	}
	return nil
}
