package deploy

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"

	"milepost/consumers"
	"milepost/schemas"
	"milepost/web/pages"
)

// Where health begins to be yellow and red: messages not applied, and the free
// part of the disk in per cent.
const (
	manyBehind, tooManyBehind = 1000, 100_000
	lowDisk, lowestDisk       = 20, 5
)

// Health tells how the parts of the installation do.
func (p pageAdmin) Health(ctx context.Context) []pages.HealthItem {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	items := []pages.HealthItem{{
		Name: "版本", State: "green", Value: "milepost " + Version + "，" + runtime.Version(),
		Note: "自 " + p.started.In(schemas.Location).Format("2006-01-02 15:04") + " 运行，角色 " + strings.Join(p.a.config.Target, "、"),
	}}
	items = append(items, p.stream(ctx)...)
	items = append(items, p.archived(ctx)...)
	items = append(items, p.clickhouse(ctx), p.disk())
	return append(items, p.lease(ctx), p.openLetters(ctx), p.tokensUsed())
}

// stream tells of NATS, and how far the warehouse is behind it.
func (p pageAdmin) stream(ctx context.Context) []pages.HealthItem {
	item := pages.HealthItem{Name: "NATS", State: "green", Value: p.a.conn.ConnectedServerVersion(), Note: fmt.Sprintf("断线重连 %d 次", p.a.conn.Stats().Reconnects)}
	if p.a.conn.Status() != nats.CONNECTED {
		item.State, item.Note = "red", "连接断开，正在重连"
	}
	stream, err := p.a.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		item.State, item.Note = "red", "读不到事件流"
		return []pages.HealthItem{item}
	}
	state := stream.CachedInfo().State
	item.Note += fmt.Sprintf("；事件流 %d 条，%s", state.Msgs, mebibytes(state.Bytes))
	lag := pages.HealthItem{Name: "入库进度", State: "green", Value: "已全部入库", Note: fmt.Sprintf("最后流序号 %d", state.LastSeq)}
	watermark, err := p.a.applied.Watermark(ctx)
	if err != nil {
		lag.State, lag.Value, lag.Note = "red", "未知", "读不到入库进度"
		return []pages.HealthItem{item, lag}
	}
	if behind := state.LastSeq - min(state.LastSeq, watermark); behind > 0 {
		lag.Value = fmt.Sprintf("还有 %d 条", behind)
		switch {
		case behind >= tooManyBehind:
			lag.State = "red"
		case behind >= manyBehind:
			lag.State = "yellow"
		}
	}
	return []pages.HealthItem{item, lag}
}

// archived tells of the archive of the stream, where there is one or should be one.
func (p pageAdmin) archived(ctx context.Context) []pages.HealthItem {
	item := pages.HealthItem{Name: "事件归档", State: "green"}
	held, err := consumers.Covered(ctx, p.a.js, p.a.config.ArchiveFolder())
	switch {
	case err != nil:
		item.State, item.Value, item.Note = "red", "不完整", "归档与事件流合起来缺事件，运行 milepost doctor 查看"
	case held.Last() == 0:
		return nil
	default:
		item.Value = fmt.Sprintf("至流序号 %d", held.Last())
		item.Note = fmt.Sprintf("%d 个分段，%s，%s", len(held.Segments()), mebibytes(uint64(held.Bytes())), held.Dir())
	}
	return []pages.HealthItem{item}
}

func (p pageAdmin) clickhouse(ctx context.Context) pages.HealthItem {
	item := pages.HealthItem{Name: "ClickHouse", State: "green"}
	var version bytes.Buffer
	if err := p.a.warehouse.Ping(ctx); err != nil {
		item.State, item.Value, item.Note = "red", "没有应答", "检查 ClickHouse 是否在运行"
		return item
	}
	if err := p.analyst.Query(ctx, &version, "SELECT version()", "TSV"); err == nil {
		item.Value = strings.TrimSpace(version.String())
	}
	item.Note = "在本进程内"
	if p.a.embeddedClickHouse == nil {
		item.Note = "外部服务器"
	}
	return item
}

// disk tells how much room the data folder's disk has.
func (p pageAdmin) disk() pages.HealthItem {
	item := pages.HealthItem{Name: "磁盘", State: "green", Note: p.a.config.Data}
	var stat unix.Statfs_t
	if err := unix.Statfs(p.a.config.Data, &stat); err != nil || stat.Blocks == 0 {
		item.State, item.Value = "yellow", "未知"
		return item
	}
	free := stat.Bavail * 100 / stat.Blocks
	item.Value = fmt.Sprintf("剩余 %s，%d%%", mebibytes(stat.Bavail*uint64(stat.Bsize)), free)
	switch {
	case free < lowestDisk:
		item.State, item.Note = "red", item.Note+"：请马上腾出空间"
	case free < lowDisk:
		item.State, item.Note = "yellow", item.Note+"：空间不多了"
	}
	return item
}

// lease tells which process publishes what is due.
func (p pageAdmin) lease(ctx context.Context) pages.HealthItem {
	item := pages.HealthItem{Name: "排程", State: "green", Value: "没有正在执行的任务", Note: "有任务时由一个进程执行"}
	o, err := p.a.press.scheduler.Overview(ctx)
	if err != nil {
		item.State, item.Value, item.Note = "red", "未知", "读不到排程记录"
		return item
	}
	if o.Lease != nil {
		item.Value = o.Lease.Holder
	}
	owed := 0
	for _, job := range o.Jobs {
		owed += len(job.Waiting)
	}
	if owed > 0 {
		item.State, item.Note = "yellow", fmt.Sprintf("%d 期待办，见“排程”", owed)
	}
	return item
}

func (p pageAdmin) openLetters(ctx context.Context) pages.HealthItem {
	const most = 1000
	item := pages.HealthItem{Name: "退件", State: "green", Value: "没有待处理的"}
	letters, err := p.letters().DeadLetters(ctx, most, false)
	if err != nil {
		item.State, item.Value = "red", "未知"
		return item
	}
	if n := len(letters); n > 0 {
		item.State, item.Value, item.Note = "yellow", fmt.Sprintf("%d 件待处理", n), "见“退件”"
	}
	return item
}

func (p pageAdmin) tokensUsed() pages.HealthItem {
	if p.a.tokens.Used() {
		return pages.HealthItem{Name: "登录", State: "green", Value: "须用令牌登录"}
	}
	return pages.HealthItem{Name: "登录", State: "yellow", Value: "没有令牌", Note: "本机上人人可以做一切"}
}

func mebibytes(n uint64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// ConfigFile is where the configuration is.
func (p pageAdmin) ConfigFile() string { return p.a.config.File }
