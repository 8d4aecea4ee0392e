// SPDX-License-Identifier: Apache-2.0

// The measured contract on the official Go shim.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

type store struct{}

func (store) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (store) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	function, args := stub.GetFunctionAndParameters()
	switch function {
	case "Noop":
		return shim.Success(nil)
	case "Get":
		value, err := stub.GetState(args[0])
		if err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(value)
	case "Put":
		if err := stub.PutState(args[0], []byte(args[1])); err != nil {
			return shim.Error(err.Error())
		}
		return shim.Success(nil)
	case "Scan":
		return scan(stub, args[0])
	case "Fill":
		return fill(stub, args[0], args[1])
	default:
		return shim.Error(fmt.Sprintf("no function %s", function))
	}
}

func scan(stub shim.ChaincodeStubInterface, text string) *peer.Response {
	count, err := strconv.Atoi(text)
	if err != nil {
		return shim.Error(err.Error())
	}
	held := 0
	for number := range count {
		value, err := stub.GetState(fmt.Sprintf("key%d", number))
		if err != nil {
			return shim.Error(err.Error())
		}
		held += len(value)
	}
	return shim.Success([]byte(strconv.Itoa(held)))
}

func fill(stub shim.ChaincodeStubInterface, text, value string) *peer.Response {
	count, err := strconv.Atoi(text)
	if err != nil {
		return shim.Error(err.Error())
	}
	for number := range count {
		if err := stub.PutState(fmt.Sprintf("key%d", number), []byte(value)); err != nil {
			return shim.Error(err.Error())
		}
	}
	return shim.Success(nil)
}

func main() {
	tls := shim.TLSProperties{Disabled: os.Getenv("CHAINCODE_TLS_KEY") == ""}
	if !tls.Disabled {
		tls.Key, tls.Cert = read("CHAINCODE_TLS_KEY"), read("CHAINCODE_TLS_CERT")
		tls.ClientCACerts = read("CHAINCODE_CLIENT_CA_CERT")
	}
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       store{},
		TLSProps: tls,
	}
	log.Fatal(server.Start())
}

func read(variable string) []byte {
	content, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		log.Fatal(err)
	}
	return content
}
