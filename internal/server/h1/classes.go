package h1

// Classes of bytes in a request head. Only ASCII is in any of them.
const (
	inToken       uint8 = 1 << iota // tchar of RFC 9110 5.6.2
	inValue                         // printable ASCII and space
	inTarget                        // printable ASCII but '#', which ends no request target
	inHost                          // letters, digits and .-_:[] of names, IPv4 and IPv6 addresses
	literalInPath                   // what url.URL neither decodes in a path nor would encode there
)

var classes = makeClasses()

func makeClasses() (table [256]uint8) {
	add := func(class uint8, chars string) {
		for i := range len(chars) {
			table[chars[i]] |= class
		}
	}
	const alnum = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := byte(' '); c <= '~'; c++ {
		table[c] |= inValue
		if c != ' ' && c != '#' {
			table[c] |= inTarget
		}
	}
	add(inToken, alnum+"!#$%&'*+-.^_`|~")
	add(inHost, alnum+".-_:[]")
	add(literalInPath, alnum+"-_.~$&+,/:;=@")
	return table
}
