package schemas

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestJudgedSurvivesPacking fills every field there is, so that a new one cannot be forgotten.
func TestJudgedSurvivesPacking(t *testing.T) {
	t.Parallel()
	same := func(s string) string { return s }
	var again JudgedUnpacker
	rapid.Check(t, func(rt *rapid.T) {
		var want Judged
		fill(rt, reflect.ValueOf(&want).Elem())
		want.Standing.Trace = nil
		want.Standing.ProjectID = want.ProjectID
		if rapid.IntRange(0, 4).Draw(rt, "no row") == 0 {
			want.Standing = Standing{}
		}
		packed := string(AppendJudged(nil, &want))
		var got Judged
		if err := UnpackJudged(want.ProjectID, packed, same, &got); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
		if reused, err := again.Unpack(want.ProjectID, packed); err != nil {
			rt.Fatal(err)
		} else if diff := cmp.Diff(&want, reused); diff != "" {
			rt.Fatal("in memory that was used before:", diff)
		}
		if JudgedStanding(packed) != (want.Standing.ProjectID != "") {
			rt.Error("the packed form says otherwise whether there is a standing")
		}
		cut := rapid.IntRange(0, len(packed)-1).Draw(rt, "cut")
		if err := UnpackJudged("P-1", packed[:cut], same, &Judged{}); err == nil {
			rt.Errorf("%d of %d bytes read as a whole", cut, len(packed))
		}
	})
}

// fill draws a value other than zero for every field.
func fill(rt *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rt, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(rt, v.Index(i))
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 2).Draw(rt, "length"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(rt, v.Index(i))
			}
		}
	case reflect.String:
		v.SetString(rapid.StringN(1, 9, -1).Draw(rt, "text"))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint64, reflect.Uint:
		v.SetUint(uint64(rapid.IntRange(1, 2).Draw(rt, "number")))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(rapid.IntRange(1, 1<<30).Draw(rt, "number")))
	case reflect.Pointer: // the trace, which is left out
	default:
		rt.Fatalf("no value for a %s", v.Type())
	}
}

// TestACloneSharesNothing looks at every field there is: a new one that holds a list or a text cannot be forgotten.
func TestACloneSharesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var s Standing
		fill(rt, reflect.ValueOf(&s).Elem())
		s.Trace = nil
		c := s.Clone()
		if diff := cmp.Diff(s, c); diff != "" {
			rt.Fatal(diff)
		}
		apart(rt, "Standing", reflect.ValueOf(s), reflect.ValueOf(c))
	})
}

// apart fails when two equal values share the memory of a text or a list.
func apart(rt *rapid.T, path string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			apart(rt, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Array, reflect.Slice:
		if a.Kind() == reflect.Slice && a.Len() > 0 && a.Pointer() == b.Pointer() {
			rt.Fatalf("%s is shared", path)
		}
		for i := range a.Len() {
			apart(rt, path, a.Index(i), b.Index(i))
		}
	case reflect.String:
		if x, y := a.String(), b.String(); x != "" && unsafe.StringData(x) == unsafe.StringData(y) {
			rt.Fatalf("%s is shared", path)
		}
	}
}
