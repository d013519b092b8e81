package imports

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"milepost/schemas"
)

// plainNumber is a decimal number as spreadsheets write it: thousands grouped
// by commas or not, with a currency sign or not, 1.2E+07 too.
var plainNumber = regexp.MustCompile(`^([+-]?)\s*[$\x{A5}\x{FFE5}]?\s*((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,2}))?$`)

const maxAmountLength = 40

// parseAmount reads an amount exactly, multiplies it by scale and rounds once,
// half away from zero, to hundredths of 万元.
func parseAmount(text string, scale *big.Rat) (schemas.Money, error) {
	value, ok := parseDecimal(text)
	if !ok {
		return 0, fmt.Errorf("not an amount")
	}
	if value.Sign() < 0 {
		return 0, fmt.Errorf("an amount below zero")
	}
	value.Mul(value, scale)
	value.Mul(value, big.NewRat(100, 1))
	// The floor of (2·num + den) ÷ (2·den) is the value rounded half up, which
	// for amounts that are not negative is half away from zero.
	num := new(big.Int).Lsh(value.Num(), 1)
	num.Add(num, value.Denom())
	num.Quo(num, new(big.Int).Lsh(value.Denom(), 1))
	if !num.IsInt64() || num.Int64() > int64(schemas.MaxMoney) {
		return 0, fmt.Errorf("an amount above %s 万元", schemas.MaxMoney)
	}
	return schemas.Money(num.Int64()), nil
}

func parseDecimal(text string) (*big.Rat, bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxAmountLength {
		return nil, false
	}
	found := plainNumber.FindStringSubmatch(text)
	if found == nil {
		return nil, false
	}
	number := found[1] + strings.ReplaceAll(found[2], ",", "")
	if found[3] != "" {
		number += "e" + found[3]
	}
	return new(big.Rat).SetString(number)
}
