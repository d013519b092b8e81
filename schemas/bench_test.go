package schemas

import "testing"

// The text of a usual event, 456 bytes.
const usualEvent = `{"specversion": "1.0", "id": "e11-000108", "source": "/offices/shanyang", "type": "milestone.reached.v1", "subject": "P-0007", ` +
	`"time": "2024-04-01T09:15:46+08:00", "district": "shanyang", "datacontenttype": "application/json", "data": {"milestone": "started", ` +
	`"reached_on": "2024-03-31", "evidence": [{"uri": "https://example.org/e/P-0007/started.jpg", "sha256": ` +
	`"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "note": "主体工程开工照片"}]}}`

func BenchmarkDecode(b *testing.B) {
	fast, _ := bothValidators(b)
	raw := []byte(usualEvent)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := fast.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	_, slow := bothValidators(b)
	raw := []byte(usualEvent)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := slow.Validate(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeData(b *testing.B) {
	raw := []byte(`{"month": "2024-03", "invested_ytd": 21351.47, "note": "设备安装"}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeData(ProgressReported, raw); err != nil {
			b.Fatal(err)
		}
	}
}
