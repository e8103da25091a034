// swift-tools-version: 6.2
import PackageDescription

// A peer to compare with, in a package of its own: nobody who builds Bulkhead builds gRPC.
let package = Package(
    name: "grpc-bench",
    dependencies: [
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
    ],
    targets: [
        .executableTarget(
            name: "grpc-bench",
            dependencies: [
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
