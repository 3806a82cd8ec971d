import io.antiphon.*
import kotlin.io.path.createTempDirectory
import kotlin.test.*
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout

/** What the screen shows, against a network of its own. */
class WalletModelTest {
    private val node = Node()

    @AfterTest
    fun stop() = node.stop()

    @Test
    fun whatIsSentOnceIsShownUntilItIsFinal() = runBlocking<Unit> {
        val options = ConnectOptions(node.base, node.chain, createTempDirectory("antiphon").toString())
        val client = connect(options, Words.generate().account(0u))
        val job = Job()
        val model = WalletModel(client, CoroutineScope(Dispatchers.Default + job))
        suspend fun shown(ready: (WalletModel.Shown) -> Boolean) = withTimeout(60_000) { model.shown.first(ready) }
        shown { "at block" in it.proof }
        client.askFaucet()
        shown { it.balance == "100" }

        model.send("much", node.faucet, "much").join()
        assertEquals(helpFor("amount/not-decimal"), model.shown.value.help)
        assertEquals(emptyList(), model.shown.value.calls)

        // Pressed twice.
        model.send("rent", " ${node.faucet} ", "2.5").join()
        model.send("rent", node.faucet, "2.5").join()
        assertNull(model.shown.value.help)
        assertEquals(listOf("rent"), model.shown.value.calls.map { it.key })

        // Asleep and awake again, it still hears what becomes of it.
        client.suspend()
        client.resume()
        shown { it.calls.single().stage == CallStage.FINAL }

        client.shutDown()
        assertTrue(job.isActive, "a client that ends brings nothing down")
        job.cancelAndJoin()
    }
}
