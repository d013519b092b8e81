package schemas

import (
	"math/big"
	"strconv"
	"strings"
)

// Money is an amount in hundredths of 万元 (one Money is 100 yuan), so that
// sums are exact (specification §2).
type Money int64

// MaxMoney is the largest amount that an event may carry, 10¹⁰ 万元; a million
// such amounts still add up within an int64.
const MaxMoney Money = 1e12

// MoneyFromWan gives a whole number of 万元.
func MoneyFromWan(wan int64) Money { return Money(wan * 100) }

// ParseMoney reads a JSON number of 万元 with at most two decimals, from 0 to
// MaxMoney. "1.50", "1.5e2" and "100E-2" are numbers like any other.
func ParseMoney(number string) (Money, error) {
	units, ok := parseHundredths(number)
	if !ok || units < 0 || units > int64(MaxMoney) {
		return 0, &Error{Code: Invalid, Message: "not an amount", Value: Shorten(number), Hint: "write 万元 from 0 to 10000000000 with at most two decimals"}
	}
	return Money(units), nil
}

// parseHundredths reads a JSON number exactly; it refuses what is not a whole
// number of hundredths or does not fit.
func parseHundredths(number string) (int64, bool) {
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		e, err := strconv.Atoi(number[i+1:])
		if err != nil && !isZeroMantissa(number[:i]) {
			return 0, false
		}
		mantissa, exponent = number[:i], e
	}
	negative := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	figures := strings.TrimLeft(whole+fraction, "0")
	shift := exponent - len(fraction) + 2
	if figures == "" {
		return 0, mantissa != "" && onlyDigits(whole+fraction)
	}
	if !onlyDigits(figures) {
		return 0, false
	}
	trimmed := strings.TrimRight(figures, "0")
	shift += len(figures) - len(trimmed)
	if shift < 0 || len(trimmed)+shift > 18 {
		return 0, false
	}
	units, err := strconv.ParseInt(trimmed+strings.Repeat("0", shift), 10, 64)
	if err != nil {
		return 0, false
	}
	if negative {
		units = -units
	}
	return units, true
}

func isZeroMantissa(s string) bool { return strings.Trim(s, "-0.") == "" }

func onlyDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// String gives 万元 without needless zeros: "12000", "0.5", "12.34".
func (m Money) String() string { return fixed(int64(m), 2, true) }

// MarshalJSON gives the amount as a JSON number of 万元.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a JSON number of 万元.
func (m *Money) UnmarshalJSON(b []byte) error {
	units, ok := parseHundredths(string(b))
	if !ok {
		return &Error{Code: Invalid, Message: "not an amount", Value: Shorten(string(b)), Hint: "write 万元 with at most two decimals"}
	}
	*m = Money(units)
	return nil
}

// Figure is a rounded number as a bulletin prints it: Units ÷ 10^Decimals.
// A nil *Figure is "not known" and null in JSON.
type Figure struct {
	Units    int64
	Decimals int
}

// Percent gives 100 × num ÷ den with one decimal, rounded half away from zero,
// or nil when den is zero.
func Percent(num, den int64) *Figure { return Quotient(num, den, 100, 1) }

// Quotient gives scale × num ÷ den, divided exactly and rounded once, half
// away from zero, to the given decimals; nil when den is zero.
func Quotient(num, den, scale int64, decimals int) *Figure {
	if den == 0 {
		return nil
	}
	n := new(big.Int).Mul(big.NewInt(num), big.NewInt(scale))
	return Rounded(new(big.Rat).SetFrac(n, big.NewInt(den)), decimals)
}

// Rounded rounds an exact value once, half away from zero.
func Rounded(value *big.Rat, decimals int) *Figure {
	if value == nil {
		return nil
	}
	num := new(big.Int).Mul(value.Num(), pow10(decimals))
	den := value.Denom()
	negative := num.Sign() < 0
	num.Abs(num)
	// (2·num + den) ÷ (2·den), rounded down, is num ÷ den rounded half up.
	num.Lsh(num, 1)
	num.Add(num, den)
	num.Quo(num, new(big.Int).Lsh(den, 1))
	units := num.Int64()
	if negative {
		units = -units
	}
	return &Figure{Units: units, Decimals: decimals}
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// String gives all decimals, as printed in a table: "97.2", "100.0".
func (f *Figure) String() string {
	if f == nil {
		return "-"
	}
	return fixed(f.Units, f.Decimals, false)
}

// Float gives the nearest binary number, for charts and typed columns only.
func (f *Figure) Float() float64 {
	v, _ := strconv.ParseFloat(fixed(f.Units, f.Decimals, false), 64)
	return v
}

// MarshalJSON gives a JSON number with all decimals.
func (f Figure) MarshalJSON() ([]byte, error) { return []byte(fixed(f.Units, f.Decimals, false)), nil }

// UnmarshalJSON reads a JSON number and keeps its decimals.
func (f *Figure) UnmarshalJSON(b []byte) error {
	s := string(b)
	whole, fraction, _ := strings.Cut(s, ".")
	units, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return &Error{Code: Invalid, Message: "not a figure", Value: Shorten(s), Err: err}
	}
	*f = Figure{Units: units, Decimals: len(fraction)}
	return nil
}

func fixed(units int64, decimals int, trim bool) string {
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	s := strconv.FormatInt(units, 10)
	if len(s) <= decimals {
		s = strings.Repeat("0", decimals-len(s)+1) + s
	}
	whole, fraction := s[:len(s)-decimals], s[len(s)-decimals:]
	if trim {
		fraction = strings.TrimRight(fraction, "0")
	}
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}
