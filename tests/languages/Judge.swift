// Prints the verdicts on the files of public vectors that it is given.

import Foundation

@main
struct Program {
    static func main() throws {
        for path in CommandLine.arguments.dropFirst() {
            let name = URL(fileURLWithPath: path).lastPathComponent
            let text = try String(contentsOfFile: path, encoding: .utf8)
            print("# \(name)")
            print(verdicts(file: name, text: text)!, terminator: "")
        }
    }
}
