// SPDX-License-Identifier: Apache-2.0

// The measured contract on the official Go shim.
package main

import (
	"fmt"
	"log"
	"os"

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
	default:
		return shim.Error(fmt.Sprintf("no function %s", function))
	}
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
