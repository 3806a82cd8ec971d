/** A proven balance: `NODE CHAIN ADDRESS`. The chain's id is all that is trusted. */

import io.antiphon.*
import kotlin.io.path.createTempDirectory
import kotlin.system.exitProcess
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking

suspend fun provenBalance(node: String, chain: String, address: String): AccountFound {
    val folder = createTempDirectory("antiphon").toString()
    val client = connect(ConnectOptions(node, chain, folder), Words.generate().account(0u))
    try {
        while (true) {
            try {
                return client.findAccount(address, Level.FINAL)
            } catch (error: AntiphonException) {
                if (!error.isRetryable()) throw error
            }
            // No head is proven yet: `lookup/not-ready`.
            for (problem in client.snapshot().problems) System.err.println("${problem.code}: ${helpFor(problem.code)}")
            delay(1_000)
        }
    } finally {
        client.shutDown()
    }
}

fun main(args: Array<String>) = runBlocking {
    try {
        val found = provenBalance(args[0], args[1], args[2])
        println("${formatAmount(found.operational)} at block ${found.proven.height}, final")
    } catch (error: AntiphonException) {
        System.err.println("${error.code()}: ${error.text()}")
        exitProcess(1)
    }
}
