// swift-tools-version: 6.0
// Apple's platforms take the library from Antiphon.xcframework beside this file, others from where the linker finds it.
import Foundation
import PackageDescription

let framework = "Antiphon.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + framework)
let library: Target = hasFramework ? .binaryTarget(name: "AntiphonFFI", path: framework) : .systemLibrary(name: "AntiphonFFI")

let package = Package(
    name: "Antiphon",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Antiphon", targets: ["Antiphon"])],
    targets: [
        library,
        // What is generated is of language mode 5; whoever uses it may be of 6.
        .target(name: "Antiphon", dependencies: ["AntiphonFFI"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .executableTarget(name: "balance", dependencies: ["Antiphon"]),
        .executableTarget(name: "wallet", dependencies: ["Antiphon"]),
        // A screen to begin with: the model is tested wherever Swift is, what draws it compiles where SwiftUI is.
        .target(name: "Screen", dependencies: ["Antiphon"], path: "Screen"),
        .testTarget(name: "AntiphonTests", dependencies: ["Antiphon", "Screen", "balance"]),
    ]
)
