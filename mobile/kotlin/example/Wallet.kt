/** A wallet for the command line: `FOLDER NODE CHAIN [TRACKER]`, then one command a line. */

import io.antiphon.*
import java.io.File
import java.math.BigInteger
import java.nio.ByteBuffer
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield

/** Keeps secrets in files that only their owner reads. A device has something better: `KeystoreSecretStore`. */
class FileStore(private val folder: File) : SecretStore {
    private fun file(name: String) = File(folder, "$name.secret")

    override fun get(name: String) = file(name).takeIf { it.exists() }?.readBytes()

    override fun put(name: String, secret: ByteArray) {
        folder.mkdirs()
        file(name).apply { createNewFile(); setReadable(false, false); setReadable(true, true) }.writeBytes(secret)
    }

    override fun delete(name: String) {
        file(name).delete()
    }
}

class Wallet(folder: String, node: String, chain: String, tracker: String?) {
    private val store = FileStore(File(folder))
    private val options = ConnectOptions(node, chain, folder, tracker = tracker)
    private var open: Antiphon? = null
    private val client get() = checkNotNull(open) { "say open first" }

    suspend fun answer(words: List<String>): String = when (words[0]) {
        "create" -> keep(Words.generate())
        "restore" -> keep(Words.restore(direct(words.drop(1).joinToString(" "))))
        "open" -> open()
        "faucet" -> faucet()
        "balance" -> balance()
        "send" -> call(client.transfer(words[1], words[2], parseAmount(words[3]), Token.OPERATIONAL))
        "cancel" -> cancel(words[1], words[2], parseAmount(words[3]))
        "wait" -> wait(words[1], CallStage.valueOf(words[2].uppercase()))
        "events" -> events(words[1])
        "give" -> call(client.give(words[1], words[2], parseAmount(words[3]), words[4]))
        "gift" -> gift(GiftStage.valueOf(words[1].uppercase()))
        "listen" -> listen(words[1])
        "pool" -> call(client.openPool(words[1], parseAmount(words[2])))
        "earn" -> earn()
        "room" -> room(words[1])
        "propose" -> propose(parseAmount(words[1]))
        "accept" -> accept()
        "pay" -> pay(words[1], parseAmount(words[2]))
        "release" -> client.release().let { "released" }
        "close" -> client.shutDown().let { "closed" }
        "suspend" -> client.suspend().let { "suspended" }
        "resume" -> client.resume().let { "resumed" }
        else -> "unknown"
    }

    suspend fun close() = open?.shutDown()

    private fun keep(words: Words): String {
        words.save(store, "main")
        return "address ${words.account(0u).address()}"
    }

    /** Rust reads the words where they lie, so they must lie outside of the heap. */
    private fun direct(text: String): ByteBuffer {
        val bytes = text.toByteArray()
        return ByteBuffer.allocateDirect(bytes.size).put(bytes).apply { flip() }
    }

    private fun call(call: CallView) = "call ${call.key}"

    private suspend fun open(): String {
        open = connect(options, Words.load(store, "main").account(0u))
        until { it.wallet.account }
        return "open"
    }

    private suspend fun <T : Any> until(ready: (Snapshot) -> T?): T {
        while (true) ready(client.snapshot())?.let { return it } ?: delay(100)
    }

    private suspend fun faucet(): String {
        client.askFaucet()
        val value = until { shown -> shown.wallet.account?.balance?.value?.takeIf { it > BigInteger.ZERO } }
        return "balance ${formatAmount(value)}"
    }

    private suspend fun balance(): String {
        val address = checkNotNull(client.snapshot().wallet.address)
        return "final ${formatAmount(client.findAccount(address, Level.FINAL).operational)}"
    }

    /** Gives up as soon as it is asked; the call itself goes on. */
    private suspend fun cancel(key: String, to: Address, amount: Amount): String = coroutineScope {
        val call = launch { client.transfer(key, to, amount, Token.OPERATIONAL) }
        yield()
        call.cancelAndJoin()
        "cancelled"
    }

    private suspend fun wait(key: String, stage: CallStage): String {
        while (true) {
            val call = client.call(key)
            call.code?.let { return "$key failed $it" }
            if (call.stage >= stage) return "$key ${stage.name.lowercase()}"
            delay(100)
        }
    }

    private suspend fun events(key: String): String {
        client.moneyFlow().first { it.call.key == key && it.call.stage == CallStage.FINAL }
        return "told $key final"
    }

    private suspend fun gift(stage: GiftStage): String {
        val gift = until { shown -> shown.gifts.find { it.stage == stage } }
        return "gift ${formatAmount(gift.amount)} ${gift.purpose}"
    }

    private suspend fun listen(url: String): String {
        client.listen(url)
        return "stream ${until { shown -> shown.stream.takeIf { shown.delivery.cached > 0u } }.name}"
    }

    private suspend fun earn(): String {
        until { shown -> shown.wallet.vouchersIn.takeIf { it > BigInteger.ZERO } }
        client.settle()
        until { shown -> shown.wallet.settlements.find { it.level != null } }
        return "earned"
    }

    private suspend fun room(name: String): String {
        client.enterRoom(name)
        return "around ${until { shown -> shown.around.takeIf { it.isNotEmpty() } }.size}"
    }

    private suspend fun propose(deposit: Amount): String {
        client.proposeField(client.snapshot().around.map { it.peer }, deposit)
        return "proposed"
    }

    private suspend fun field(phase: FieldPhase) = until { shown -> shown.fields.find { it.phase == phase } }

    private suspend fun accept(): String {
        client.acceptField(field(FieldPhase.INVITED).field)
        return "accepted"
    }

    private suspend fun pay(key: String, amount: Amount): String {
        val field = field(FieldPhase.OPEN)
        val other = field.members.first { it.address != client.snapshot().wallet.address }
        return call(client.payMember(key, field.field, other.address, amount))
    }
}

fun main(args: Array<String>) = runBlocking {
    val wallet = Wallet(args[0], args[1], args[2], args.getOrNull(3))
    for (line in generateSequence(::readLine)) {
        println(try { wallet.answer(line.split(" ")) } catch (error: AntiphonException) { "error ${error.code()}" })
    }
    wallet.close()
    Unit
}
