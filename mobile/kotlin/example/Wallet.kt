import io.antiphon.*
import java.math.BigInteger
import java.nio.ByteBuffer
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.mapNotNull
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/** Words that are kept, and the client of their account. */
class Wallet(private val store: SecretStore, private val options: ConnectOptions) {
    var open: Antiphon? = null
        private set
    val client get() = checkNotNull(open) { "open it first" }

    /** Makes words, keeps them, and returns the address of their first account. */
    fun create(): Address = keep(Words.generate())

    /** Rust reads the words where they lie, so they must lie outside of the heap. */
    fun restore(text: String): Address {
        val bytes = text.toByteArray()
        return keep(Words.restore(ByteBuffer.allocateDirect(bytes.size).put(bytes).apply { flip() }))
    }

    private fun keep(words: Words): Address {
        words.save(store, "main")
        return words.account(0u).address()
    }

    /** Starts a client of the account, and waits for what the chain proves of it. */
    suspend fun open() {
        open = connect(options, Words.load(store, "main").account(0u))
        client.until { it.wallet.account }
    }
}

/** Waits for something in what a client shows. */
suspend fun <T : Any> Antiphon.until(ready: (Snapshot) -> T?): T {
    while (true) ready(snapshot())?.let { return it } ?: delay(100)
}

/** Asks for play money, and returns what there is then. */
suspend fun Antiphon.receive(): Amount {
    askFaucet()
    return until { shown -> shown.wallet.account?.balance?.value?.takeIf { it > BigInteger.ZERO } }
}

suspend fun Antiphon.finalBalance(): Amount = findAccount(until { it.wallet.address }, Level.FINAL).operational

/** Pays once, however often it is called with this key. */
suspend fun Antiphon.send(key: String, to: Address, amount: String): CallView =
    transfer(key, to, parseAmount(amount), Token.OPERATIONAL)

/** Gives up as soon as it is asked; the call itself goes on. */
suspend fun Antiphon.giveUp(key: String, to: Address, amount: String) = coroutineScope {
    val call = launch { send(key, to, amount) }
    yield()
    call.cancelAndJoin()
}

/** Waits until a call is so far, and returns null, or the code of what it failed with. */
suspend fun Antiphon.reach(key: String, stage: CallStage): String? {
    while (true) {
        val call = call(key)
        if (call.code != null || call.stage >= stage) return call.code
        delay(100)
    }
}

/** Reads what becomes of calls until this one is final. */
suspend fun Antiphon.hearOf(key: String) {
    moneyFlow().first { it.call.key == key && it.call.stage == CallStage.FINAL }
}

/** Waits until the chain shows that somebody has sent something, and returns how much. */
suspend fun Antiphon.came(payer: Address): Amount =
    moneyFlow().mapNotNull { (_, call) -> call.amount.takeIf { call.kind == CallKind.RECEIVED && call.payer == payer } }.first()

/** Waits for a gift that is so far. */
suspend fun Antiphon.giftAt(stage: GiftStage): GiftView = until { shown -> shown.gifts.find { it.stage in stage..GiftStage.FINAL } }
