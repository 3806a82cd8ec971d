import io.antiphon.*
import java.math.BigInteger
import kotlin.io.path.createTempDirectory
import kotlin.test.*
import kotlinx.coroutines.runBlocking

/** The shortest example against a network of its own: what the faucet of a development chain has is proven, from the chain's id alone. */
class BalanceTest {
    // The node lies beside the library.
    private val program = System.getProperty("jna.library.path") + "/antiphon"
    private val data = createTempDirectory("antiphon").resolve("chain").toString()
    private val node = ProcessBuilder(program, "dev", "--block-time", "100ms", "--data", data).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    private val ready = node.inputStream.bufferedReader().readLine()

    private fun told(name: String) = checkNotNull(Regex("\"$name\":\"([^\"]+)\"").find(ready)).groupValues[1]

    @AfterTest
    fun stop() = node.destroy()

    @Test
    fun aBalanceIsProven() = runBlocking {
        val found = provenBalance(told("base"), told("chain"), told("faucet"))
        assertEquals(Level.FINAL, found.proven.level)
        assertTrue(found.operational > BigInteger.ZERO)
    }

    @Test
    fun whatIsNoAddressIsNamed() = runBlocking<Unit> {
        val mistyped = "A" + told("faucet").drop(1).reversed()
        assertEquals("address/bad-checksum", assertFailsWith<AntiphonException> { provenBalance(told("base"), told("chain"), mistyped) }.code())
    }
}
