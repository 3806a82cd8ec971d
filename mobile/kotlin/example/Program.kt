/** A wallet for the command line: `FOLDER NODE CHAIN [TRACKER]`, then one command a line. */

import io.antiphon.*
import java.io.File
import kotlinx.coroutines.runBlocking

/** Does what a line says. */
suspend fun answer(wallet: Wallet, words: List<String>): String = when (words[0]) {
    "create" -> "address ${wallet.create()}"
    "restore" -> "address ${wallet.restore(words.drop(1).joinToString(" "))}"
    "open" -> wallet.open().let { "open" }
    else -> ask(wallet.client, words)
}

/** Does what takes an open client. */
private suspend fun ask(client: Antiphon, words: List<String>): String = when (words[0]) {
    "faucet" -> "balance ${formatAmount(client.receive())}"
    "balance" -> "final ${formatAmount(client.finalBalance())}"
    "came" -> "came ${formatAmount(client.came(words[1]))}"
    "send" -> called(client.send(words[1], words[2], words[3]))
    "cancel" -> client.giveUp(words[1], words[2], words[3]).let { "cancelled" }
    "wait" -> "${words[1]} ${client.reach(words[1], CallStage.valueOf(words[2].uppercase()))?.let { "failed $it" } ?: words[2]}"
    "events" -> client.hearOf(words[1]).let { "told ${words[1]} final" }
    "give" -> called(client.give(words[1], words[2], parseAmount(words[3]), words[4]))
    "gift" -> client.giftAt(GiftStage.valueOf(words[1].uppercase())).let { "gift ${formatAmount(it.amount)} ${it.purpose}" }
    "listen" -> "stream ${client.listenTo(words[1]).name}"
    "pool" -> called(client.openPool(words[1], parseAmount(words[2])))
    "earn" -> client.earn().let { "earned" }
    "promise" -> client.promise().let { "promised" }
    "room" -> "around ${client.enter(words[1])}"
    "propose" -> client.propose(parseAmount(words[1])).let { "proposed" }
    "accept" -> client.accept().let { "accepted" }
    "pay" -> called(client.pay(words[1], parseAmount(words[2])))
    "backup" -> "backup ${client.backupWord()}"
    "take" -> client.take(words[1]).let { "taken" }
    "locked" -> (listOf("locked") + client.locked()).joinToString(" ")
    "find" -> client.find()
    "release" -> client.release().let { "released" }
    "close" -> client.shutDown().let { "closed" }
    "suspend" -> client.suspend().let { "suspended" }
    "resume" -> client.resume().let { "resumed" }
    else -> "unknown"
}

private fun called(call: CallView) = "call ${call.key}"

fun main(args: Array<String>) = runBlocking {
    val (folder, node, chain) = args
    val wallet = Wallet(FileStore(File(folder)), ConnectOptions(node, chain, folder, tracker = args.getOrNull(3)))
    for (line in generateSequence(::readLine)) {
        println(try { answer(wallet, line.split(" ")) } catch (error: AntiphonException) { "error ${error.code()}" })
    }
    wallet.open?.shutDown()
    Unit
}
