import kotlin.io.path.createTempDirectory

/** A development chain of its own; the node lies beside the library. */
class Node {
    private val program = System.getProperty("jna.library.path") + "/antiphon"
    private val data = createTempDirectory("antiphon").resolve("chain").toString()
    private val process = ProcessBuilder(program, "dev", "--block-time", "100ms", "--data", data).redirectError(ProcessBuilder.Redirect.DISCARD).start()
    private val ready = process.inputStream.bufferedReader().readLine()

    val base = told("base")
    val chain = told("chain")
    val faucet = told("faucet")

    private fun told(name: String) = checkNotNull(Regex("\"$name\":\"([^\"]+)\"").find(ready)).groupValues[1]

    fun stop() = process.destroy()
}
