package producers_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/producers/internal/streamtest"
	"milepost/schemas"
)

// A program of an office registers a project and reports its progress.
func Example() {
	ctx := context.Background()
	address, end := exampleServer(ctx)
	defer end()

	office, err := producers.Connect(ctx, address, producers.ConnectOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer office.Close()

	enterprise := "企业12有限公司"
	sent := time.Date(2025, 11, 8, 10, 0, 0, 0, schemas.Location)
	receipts, err := office.Publish(ctx,
		schemas.Event{
			Source: "/offices/shanyang", ID: "registered-P-0012", Type: schemas.ProjectRegistered,
			Subject: "P-0012", District: "shanyang", Time: sent,
			Data: &schemas.Registered{
				Name: "年产12万台电机项目", Enterprise: &enterprise, TotalInvestment: schemas.MoneyFromWan(12000),
				AnnualPlan: map[int]schemas.Money{2025: schemas.MoneyFromWan(4500)}, RegisteredOn: schemas.NewDate(2025, 1, 6),
			},
		},
		schemas.Event{
			Source: "/offices/shanyang", ID: "progress-P-0012-2025-10", Type: schemas.ProgressReported,
			Subject: "P-0012", District: "shanyang", Time: sent,
			Data: &schemas.Progress{Month: schemas.NewMonth(2025, 10), InvestedYTD: schemas.MoneyFromWan(3800), Note: "主体封顶"},
		},
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range receipts {
		fmt.Println(r.ID, r.Seq, r.Duplicate)
	}
	// Output:
	// registered-P-0012 1 false
	// progress-P-0012-2025-10 2 false
}

// Sending again is safe; what breaks a rule is named, and the rest is published.
func ExampleSender_Publish() {
	ctx := context.Background()
	address, end := exampleServer(ctx)
	defer end()
	office, err := producers.Connect(ctx, address, producers.ConnectOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer office.Close()

	reached := schemas.Event{
		Source: "/offices/xiuwu", ID: "started-P-0007", Type: schemas.MilestoneReached, Subject: "P-0007", District: "xiuwu",
		Time: time.Date(2025, 10, 9, 9, 30, 0, 0, schemas.Location),
		Data: &schemas.Reached{Milestone: schemas.Started, ReachedOn: schemas.NewDate(2025, 10, 8)},
	}
	tomorrow := reached
	tomorrow.ID = "landed-P-0007"
	tomorrow.Data = &schemas.Reached{Milestone: schemas.Landed, ReachedOn: schemas.NewDate(2025, 10, 10)}

	for range 2 {
		receipts, err := office.Publish(ctx, reached, tomorrow)
		for _, r := range receipts {
			fmt.Println(r.ID, r.Seq, r.Duplicate, r.Error != nil)
		}
		var why *schemas.Error
		if errors.As(err, &why) {
			fmt.Println(why.Code, why.Field, why.Value)
		}
	}
	// Output:
	// started-P-0007 1 false false
	// landed-P-0007 0 false true
	// invalid data.reached_on "2025-10-10"
	// started-P-0007 1 true false
	// landed-P-0007 0 false true
	// invalid data.reached_on "2025-10-10"
}

// A publisher on a connection of one's own takes events as they came in, as JSON.
func ExampleNew() {
	ctx := context.Background()
	address, end := exampleServer(ctx)
	defer end()
	conn, err := nats.Connect(address)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		log.Fatal(err)
	}
	check, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		log.Fatal(err)
	}
	publisher, err := producers.New(js, check, producers.Options{})
	if err != nil {
		log.Fatal(err)
	}
	raw := []byte(`{"specversion": "1.0", "id": "raised-3", "source": "/departments/fgw", "type": "issue.raised.v1", "subject": "P-0012",
		"time": "2025-10-09T09:30:00+08:00", "district": "shanyang", "datacontenttype": "application/json", "data": {"issue_id": "3", "title": "用地指标",
		"category": "land", "department": "市自然资源和规划局", "raised_on": "2025-10-08", "due_on": "2025-11-30"}}`)
	for _, r := range publisher.PublishAll(ctx, [][]byte{raw, []byte(`{"id": "?"}`)}, "") {
		fmt.Println(r.Seq, r.Error)
	}
	// Output:
	// 1 <nil>
	// 0 specversion: required, but not given; give it a value
}

// exampleServer is a NATS server in this process, with the stream that a
// Milepost server makes.
func exampleServer(ctx context.Context) (address string, end func()) {
	server, end, err := streamtest.Open()
	if err != nil {
		log.Fatal(err)
	}
	conn, err := nats.Connect(server.Address())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		log.Fatal(err)
	}
	if err := producers.EnsureStream(ctx, js, producers.StreamConfig{}); err != nil {
		log.Fatal(err)
	}
	return server.Address(), end
}
