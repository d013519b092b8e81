package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"milepost/scheduler/deliver"
)

type deliverCommand struct {
	server
	Again  string `required:"" help:"Edition (as milepost editions names it) or letter to deliver again; what was delivered is delivered once more." placeholder:"ID"`
	Target string `help:"Only to this target; by default to all that want it. A paused target is resumed." placeholder:"NAME"`
}

// Run asks for the delivery and prints what waits now.
func (c *deliverCommand) Run(env *environment) error {
	client, err := operatorClient(c.server)
	if err != nil {
		return err
	}
	values := url.Values{}
	setIf(values, "target", c.Target)
	body, err := client.post(env.ctx, "/v1/deliveries/"+url.PathEscape(c.Again)+"/again", values, "", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	var list []deliver.Delivery
	if err := json.NewDecoder(body).Decode(&list); err != nil {
		return fmt.Errorf("the server's deliveries do not read: %w", err)
	}
	return printDeliveries(env.streams.Out, &deliver.Overview{Deliveries: list})
}

// operatorClient speaks for the user who runs the server when no token is given.
func operatorClient(s server) (*client, error) {
	if s.Token == "" {
		s.Token = operatorToken(s.Server)
	}
	return s.client()
}

type deliveriesCommand struct {
	server
	Limit int  `default:"100" help:"How many at the most, the newest."`
	JSON  bool `help:"Print JSON, with every attempt."`
}

// Run prints the deliveries and how the targets do.
func (c *deliveriesCommand) Run(env *environment) error {
	client, err := operatorClient(c.server)
	if err != nil {
		return err
	}
	body, err := client.get(env.ctx, "/v1/deliveries", url.Values{"limit": {strconv.Itoa(c.Limit)}})
	if err != nil {
		return err
	}
	defer body.Close()
	if c.JSON {
		_, err = io.Copy(env.streams.Out, body)
		return err
	}
	var o deliver.Overview
	if err := json.NewDecoder(body).Decode(&o); err != nil {
		return fmt.Errorf("the server's deliveries do not read: %w", err)
	}
	return printDeliveries(env.streams.Out, &o)
}

var deliveryStates = map[deliver.State]string{
	deliver.Waiting: "待投递", deliver.Sending: "投递中", deliver.Delivered: "已送达", deliver.Failed: "已放弃", deliver.Dropped: "已撤销",
}

func printDeliveries(w io.Writer, o *deliver.Overview) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "编号\t目标\t标题\t状态\t次数\t送达时间\t下次\t最近错误")
	for _, d := range o.Deliveries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", d.ID, d.Target, d.Title, deliveryStates[d.State], d.Tries, timeOrDash(d.DeliveredAt), timeOrDash(d.NextAt), orDash(d.Error))
	}
	if len(o.Targets) > 0 {
		fmt.Fprintln(table, "\n目标\t连续失败\t失败起始\t暂停\t最近错误")
	}
	for _, h := range o.Targets {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", h.Target, h.Failures, timeOrDash(h.FailingSince), timeOrDash(h.PausedAt), orDash(h.Error))
	}
	return table.Flush()
}

func timeOrDash(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return shanghai(*t)
}
