// Package bench measures Milepost at sizes that the tests do not reach. Nothing
// else uses it.
package bench

import "fmt"

// historySQL writes a history of so many projects with 30 events each straight
// into the events table, as the consumers would: a registration, an assignment,
// up to three milestones, an issue with its resolution, and monthly reports
// from 2024-01 on.
func historySQL(projects int) string {
	return fmt.Sprintf(`
INSERT INTO events (source, id, type, project_id, district, business_date, occurred_at, recorded_at, stream_seq, actor, data, extensions, fingerprint)
WITH
    number %% %[1]d AS p,
    intDiv(number, %[1]d) AS k,
    ['jiefang', 'shanyang', 'zhongzhan', 'macun', 'shifanqu', 'xiuwu', 'wuzhi', 'boai', 'wenxian', 'qinyang', 'mengzhou'][p %% 11 + 1] AS district,
    toDate('2024-01-01') + (p %% 200) AS registered,
    addMonths(toDate('2024-01-01'), k - 7) AS month,
    multiIf(k = 0, 'project.registered.v1', k = 1, 'project.assigned.v1', k = 2 OR k = 3 AND p %% 2 = 0 OR k = 4 AND p %% 7 = 0, 'milestone.reached.v1',
        k = 5, 'issue.raised.v1', k = 6, 'issue.resolved.v1', 'progress.reported.v1') AS kind,
    if(k < 7 AND kind = 'progress.reported.v1', toDate('2023-11-01'), month) AS reported,
    multiIf(k <= 1, registered, k = 2, registered + 60, kind = 'milestone.reached.v1' AND k = 3, registered + 200, kind = 'milestone.reached.v1', registered + 450,
        k = 5, toDate('2025-03-01') + p %% 100, k = 6, toDate('2025-05-01') + p %% 100, toLastDayOfMonth(reported)) AS day
SELECT
    concat('/offices/', district), concat('e', toString(p), '-', toString(k)), kind, concat('P-', leftPad(toString(p), 7, '0')), district, day,
    toDateTime64(day + 5, 3, 'Asia/Shanghai'), toDateTime64(day + 5, 9, 'Asia/Shanghai'), number + 1, 'http:127.0.0.1',
    multiIf(
        k = 0, concat('{"name":"项目', toString(p), '(年产', toString(p %% 90), '万台)","enterprise":"企业', toString(p), '有限公司","industry":"新材料","total_investment":', toString(p * 7 %% 500000),
            ',"annual_plan":{"2024":', toString(p * 3 %% 90000), ',"2025":', toString(p * 5 %% 90000), '},"targets":{"landed":"', toString(registered + 45), '","started":"', toString(registered + 180),
            '","producing":"', toString(registered + 400), '"},"registered_on":"', toString(registered), '"}'),
        k = 1, concat('{"lead":"领导', toString(p %% 40), '","department":"市局', toString(p %% 30), '","effective_on":"', toString(registered), '"}'),
        kind = 'milestone.reached.v1', concat('{"milestone":"', ['landed', 'started', 'producing'][k - 1], '","reached_on":"', toString(day), '","evidence":[{"uri":"https://example.org/e/', toString(p), '.jpg","note":"现场照片"}]}'),
        k = 5, concat('{"issue_id":"Q1","title":"用地指标尚未落实","category":"land","department":"市局', toString(p %% 30), '","raised_on":"', toString(day), '","due_on":"', toString(day + 40), '"}'),
        k = 6, concat('{"issue_id":"Q1","resolved_on":"', toString(day), '","resolution":"已协调解决"}'),
        concat('{"month":"', formatDateTime(reported, '%%Y-%%m'), '","invested_ytd":', toString(intDiv((p * 5 %% 90000) * toMonth(reported), 12)), ',"note":"主体施工"}')),
    '', sipHash128(number)
FROM numbers(%[2]d)
SETTINGS max_block_size = 200000, max_insert_block_size = 200000`, projects, projects*30)
}
