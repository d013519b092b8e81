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

// splitAmount takes the unit off an amount such as 1.2亿元 or 3,500万; without
// one it gives no scale.
func splitAmount(text string) (string, *big.Rat) {
	text = strings.TrimSpace(narrow(text))
	for _, u := range unitsOfAmounts {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			return strings.TrimSpace(number), u.wan
		}
	}
	return text, nil
}

// parsePercent reads 85% or 85.5%.
func parsePercent(text string) (*big.Rat, bool) {
	number, ok := strings.CutSuffix(strings.TrimSpace(narrow(text)), "%")
	if !ok {
		return nil, false
	}
	share, ok := parseDecimal(number)
	if !ok || share.Sign() < 0 {
		return nil, false
	}
	return share.Quo(share, big.NewRat(100, 1)), true
}

// amountHint says what would be right.
func amountHint(text string) string {
	if strings.HasSuffix(narrow(text), "%") {
		return "a percentage is no amount; write a number such as 1234.56"
	}
	return "write a number such as 1234.56, or with its unit: 1.2亿元"
}
