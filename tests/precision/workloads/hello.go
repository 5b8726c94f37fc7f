// SPDX-License-Identifier: GPL-2.0-only

package main

import "fmt"

func main() {
	fmt.Println("hello")
}
