#if canImport(SwiftUI)
import Antiphon
import SwiftUI

/// The wallet on one screen: what it has, how that is proven, and what is on its way.
@available(iOS 17, macOS 14, *)
public struct WalletScreen: View {
    private let model: WalletModel
    @State private var to = ""
    @State private var amount = ""

    public init(model: WalletModel) { self.model = model }

    public var body: some View {
        Form {
            Section {
                Text(model.balance).font(.largeTitle)
                Text(model.proof).font(.footnote)
                Text(model.address ?? "").textSelection(.enabled)
            }
            Section("Send") {
                TextField("To", text: $to)
                TextField("Amount", text: $amount)
                Button("Send") { Task { await model.send(to: to, amount: amount) } }
                if let help = model.help { Text(help).foregroundColor(.red) }
            }
            Section("On its way") {
                ForEach(model.calls, id: \.key) { call in
                    Text("\(call.amount.map { formatAmount(units: $0) } ?? "") \(call.to ?? "") \(call.stage) \(call.code ?? "")")
                }
            }
        }
        .task { await model.follow() }
    }
}
#endif
